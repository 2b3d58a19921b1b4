"""Privacy options by name, for tests that run over several of them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import yaml

from assay.config import conf_root
from assay.config.targets import locate


def privacy_of(name: str, **keys: Any) -> Any:
    """The option of this name; of `keys` those that it has, so that one parametrised test serves several options."""
    values = yaml.safe_load((conf_root() / "privacy" / f"{name}.yaml").read_text())
    option = locate(values["_target_"], "_target_")
    known = {field.name for field in fields(option)}
    return option(**{key: value for key, value in keys.items() if key in known})
