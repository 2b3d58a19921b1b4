"""Classes that `_target_` names: imported, checked against a config, and built."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assay.config.suggest import did_you_mean
from assay.config.typed import BUILDER_KEYS, built, typed
from assay.errors import InputError


@dataclass(frozen=True)
class Live:
    """An object from Python in the place of a field, and the text that stands for it in the config."""

    value: Any
    mark: str


def with_live(plain: dict[str, Any], option: Any, live: Mapping[str, Live]) -> tuple[dict[str, Any], Any]:
    """The option with live objects in some of its fields, their marks in its plain values."""
    if not live:
        return plain, option
    marks = {key: each.mark for key, each in live.items()}
    return {**plain, **marks}, dataclasses.replace(option, **{key: each.value for key, each in live.items()})


def locate(target: Any, key: str) -> type:
    """The class of a dotted path; InputError when there is none, or when it names something else than a class."""
    path = str(target)
    module, _, name = path.rpartition(".")
    try:
        imported = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(key, path, f"cannot be imported ({reason})", "package.module.Class, on PYTHONPATH") from error
    if not isinstance(imported, type):
        raise InputError(key, path, f"names a {type(imported).__name__}", "name a class: package.module.Class")
    return imported


def option_of(values: Mapping[str, Any], group: str) -> tuple[dict[str, Any], Any]:
    """Typed plain values and the object of one option, whose class `_target_` names.

    A dataclass is checked field by field; of any other class (a user's own) the names of arguments alone. `name` is passed
    on to classes that take it. Keys that the class calls `unrecorded`, since they change no number of a run, are left out
    of the plain values. Raises InputError.
    """
    prefix = f"{group}."
    owner = locate(values["_target_"], f"{prefix}_target_")
    arguments = {key: value for key, value in values.items() if key not in BUILDER_KEYS}
    if dataclasses.is_dataclass(owner):
        fields = {field.name for field in dataclasses.fields(owner) if field.init}
        passed = {key: value for key, value in arguments.items() if key != "name" or "name" in fields}
        plain = typed(owner, passed, prefix)
        unrecorded: frozenset[str] = getattr(owner, "unrecorded", frozenset())
        recorded = {key: value for key, value in _ordered(values, plain).items() if key not in unrecorded}
        return recorded, built(owner, plain)
    known = inspect.signature(owner).parameters
    free = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in known.values())
    passed = {key: value for key, value in arguments.items() if key != "name" or "name" in known}
    for key, value in passed.items():
        if key not in known and not free:
            raise InputError(f"{prefix}{key}", value, "unknown key", did_you_mean(key, known, prefix))
    for name, parameter in known.items():
        needed = parameter.default is inspect.Parameter.empty and parameter.kind not in (
            inspect.Parameter.VAR_KEYWORD,
            inspect.Parameter.VAR_POSITIONAL,
        )
        if needed and name not in passed:
            raise InputError(f"{prefix}{name}", "", "missing", f"give {prefix}{name} a value")
    return dict(values), owner(**passed)


def _ordered(values: Mapping[str, Any], plain: Mapping[str, Any]) -> dict[str, Any]:
    """Typed values in the order of the file, then the defaults of keys that it does not name."""
    return {**{key: plain.get(key, value) for key, value in values.items()}, **plain}
