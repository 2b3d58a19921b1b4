"""The YAML of an option says what its class says: every key stands in both, with one value."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path
from typing import Any

import pytest
from allowances import OTHER_DEFAULTS
from omegaconf import OmegaConf

from assay.config.compose import register_resolvers
from assay.config.typed import typed
from house import TOP, options

OPTIONS = {f"{group}={name}": (group, name, target) for group, name, target in options()}
FACTS = ("name", "kind", "modality", "source")
ROOT = {"scale": "laptop", "seed": 0, "workers": 1, "paths": {"outputs": "outputs"}}


def values_of(group: str, name: str) -> dict[str, Any]:
    """The values of an option's YAML and of those that it stands on, for the default scale."""
    register_resolvers()

    def loaded(path: Path) -> Any:
        own = OmegaConf.load(path)
        bases = [base for base in own.pop("defaults", ()) if isinstance(base, str) and base != "_self_"]
        return OmegaConf.merge(*(loaded(path.with_name(f"{base}.yaml")) for base in bases), own)

    whole = OmegaConf.create({**ROOT, group: loaded(TOP / "conf" / group / f"{name}.yaml")})
    values = OmegaConf.to_container(whole[group], resolve=True)
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}


def plain(value: Any) -> Any:
    """A value as YAML holds it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return {key: plain(each) for key, each in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("option", OPTIONS)
def test_yaml_and_class_agree(option: str) -> None:
    group, name, target = OPTIONS[option]
    if option in OTHER_DEFAULTS:
        pytest.skip("passes its keys on to a library, or reads the environment")
    assert target is not None, "an option names its class"
    module, _, attribute = target.rpartition(".")
    schema = getattr(importlib.import_module(module), attribute)
    assert dataclasses.is_dataclass(schema)
    values = values_of(group, name)
    del values["_target_"]
    assert schema.__dataclass_params__.frozen, "options are values"
    assert values.keys() | {"name"} == {field.name for field in dataclasses.fields(schema)}
    contenders = values.pop("contenders", None)
    defaults = plain(schema())
    if group == "dataset":  # a class may serve several data sets, whose files say what they are
        defaults = {key: value for key, value in defaults.items() if key not in FACTS}
    assert contenders is None or contenders == defaults.pop("contenders")
    assert {
        key: plain(value) for key, value in typed(schema, {"name": name, **values}).items() if key in defaults
    } == defaults
