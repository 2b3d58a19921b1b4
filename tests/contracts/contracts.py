"""Every option that is shipped, as an object of its class."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import yaml
from torch import nn

from assay.config.locations import conf_root


def option_names(group: str) -> list[str]:
    """Names of the options of a group, sorted."""
    return sorted(path.stem for path in (conf_root() / group).glob("*.yaml") if not path.stem.startswith("_"))


def option(group: str, name: str, **changes: Any) -> Any:
    """The object of an option by its class's defaults, with some keys changed."""
    values = yaml.safe_load((conf_root() / group / f"{name}.yaml").read_text())
    module, _, attribute = str(values["_target_"]).rpartition(".")
    return getattr(importlib.import_module(module), attribute)(**changes)


def in_one_line(error: BaseException) -> bool:
    """True of a message that a terminal shows in one line, with a remedy in brackets."""
    text = str(error)
    return "\n" not in text and text.endswith(")") and "(" in text


def below(folder: Path) -> list[str]:
    """Files of a folder, by their path from it."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


class Linear(nn.Linear):
    """A network of a user's, by the names of its arguments."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)
