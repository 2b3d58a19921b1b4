"""Classes that `_target_` names: imported, checked against a config, and built."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

from assay.config.root import MEMBERS
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
    _refuse_standard(module, key, path)
    try:
        imported = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError, SyntaxError) as error:
        raise _not_importable(key, path, " ".join(str(error).split()) or type(error).__name__) from error
    if not isinstance(imported, type):
        raise InputError(key, path, f"names a {type(imported).__name__}", "name a class: package.module.Class")
    _refuse_standard(imported.__module__, key, path)
    return imported


def check_importable(target: Any, key: str) -> None:
    """Raises InputError for a class whose file cannot be seen to have it; imports nothing but the packages above it."""
    path = str(target)
    module, _, name = path.rpartition(".")
    _refuse_standard(module, key, path)
    try:
        spec = importlib.util.find_spec(module.partition(".")[0]) if module else None
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        raise _not_importable(key, path, f"No module named '{module.partition('.')[0]}'")
    place = _file_below(spec, module)
    if place is None or place.suffix != ".py":
        return  # compiled, or made when it is imported
    try:
        names = _names_in(ast.parse(place.read_bytes()))
    except SyntaxError as error:
        raise _not_importable(key, path, f"{place} has a syntax error in line {error.lineno}") from error
    if names is not None and name not in names:
        raise InputError(key, path, f"{place} has no {name}", did_you_mean(name, sorted(names)))


def _not_importable(key: str, path: str, reason: str) -> InputError:
    return InputError(key, path, f"cannot be imported ({reason[:100]})", "package.module.Class, on PYTHONPATH")


def _refuse_standard(module: str, key: str, path: str) -> None:
    """Raises InputError for a class of Python's own library: none is an option, and some act when they are made."""
    if module.partition(".")[0] in sys.stdlib_module_names:
        limit = "is of Python's own library, which has no option"
        raise InputError(key, path, limit, "name a class of yours: package.module.Class")


def _file_below(spec: ModuleSpec, module: str) -> Path | None:
    """The file of a module below its top-level package; None where there is none to be seen."""
    if "." not in module:
        return Path(spec.origin) if spec.origin and spec.has_location else None
    for root in spec.submodule_search_locations or ():
        place = Path(root, *module.split(".")[1:])
        for file in (place / "__init__.py", place.with_suffix(".py")):
            if file.is_file():
                return file
    return None


def _names_in(tree: ast.Module) -> set[str] | None:
    """Names that a module binds at its top; None where it may bind others: a star, or a function that makes them."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            if node.name == "__getattr__":
                return None
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif not isinstance(node, ast.Expr | ast.AnnAssign):
            return None
    return None if "*" in names else names


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
        _check_role(owner, values["_target_"], group)
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
    _check_role(owner, values["_target_"], group)
    return dict(values), owner(**passed)


def _check_role(owner: type, target: Any, group: str) -> None:
    """Raises InputError for a class that cannot be an option of the group."""
    member = MEMBERS.get(group)
    fields = {field.name for field in dataclasses.fields(owner)} if dataclasses.is_dataclass(owner) else set()
    if member is not None and not hasattr(owner, member) and member not in fields:
        limit = f"is no option of {group}: it has no '{member}'"
        raise InputError(f"{group}._target_", target, limit, f"choose with {group}=..., or name a class of yours")


def _ordered(values: Mapping[str, Any], plain: Mapping[str, Any]) -> dict[str, Any]:
    """Typed values in the order of the file, then the defaults of keys that it does not name."""
    return {**{key: plain.get(key, value) for key, value in values.items()}, **plain}
