"""Checks plain values against a dataclass: names, types, limits; an error names the key in full."""

from __future__ import annotations

import dataclasses
import functools
import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from assay.config.limits import Limit
from assay.config.suggest import did_you_mean, listed, nearest
from assay.errors import InputError

# Keys by which hydra builds an object; allowed in every group.
BUILDER_KEYS = frozenset({"_target_", "_partial_", "_recursive_", "_convert_", "_args_"})

_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


class UnknownKeyError(InputError):
    """A key that a class does not have; `path` is the key below its group."""

    def __init__(self, prefix: str, name: str, value: Any, known: list[str]) -> None:
        tail = ""
        while isinstance(value, Mapping) and len(value) == 1:
            ((key, value),) = value.items()
            tail += f".{key}"
        remedy = did_you_mean(name, known, prefix).replace("?", f"{tail}?")
        super().__init__(f"{prefix}{name}{tail}", shown(value), "unknown key", remedy)
        self.near = nearest(name, known) is not None

    def of_options(self, group: str, chosen: str, keys: Mapping[str, Mapping[str, Any]]) -> InputError:
        """The same error where other options of the group, whose values are `keys`, have such a key."""
        path = self.key.removeprefix(f"{group}.")
        flat = {name: set(_flat(values)) for name, values in keys.items() if name != chosen}
        limit = f"{group}={chosen} has no such key"
        if holders := [f"{group}={name}" for name, known in flat.items() if path in known]:
            return ForeignKeyError(self.key, self.value, limit, f"it belongs to {_some(group, holders)}")
        near = nearest(path, dict.fromkeys(key for known in flat.values() for key in sorted(known)))
        if self.near or near is None:
            return self if self.near else InputError(self.key, self.value, limit, self.remedy)
        holder = next(name for name, known in flat.items() if near in known)
        return InputError(self.key, self.value, limit, f"did you mean {group}.{near}? It belongs to {group}={holder}")


class ForeignKeyError(InputError):
    """A key that other options of its group have, and the chosen one has not."""


def _some(group: str, holders: list[str]) -> str:
    if len(holders) <= 2:
        return " or ".join(holders)
    return f"{holders[0]} and {len(holders) - 1} others: assay list {group}"


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[str]:
    keys = [f"{prefix}{key}" for key in values if not key.startswith("_")]
    return keys + [
        key for name, each in values.items() if isinstance(each, Mapping) for key in _flat(each, f"{prefix}{name}.")
    ]


def typed(schema: type, values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The values with the types of a dataclass (8 becomes 8.0 where a number is due), in the order they came.

    Fields that the values do not name keep their defaults. `prefix` is what stands before the keys in messages, e.g.
    "privacy.". Raises InputError for an unknown or missing key, a wrong type, and a value beyond its limit.
    """
    hints, keys = _hints(schema), [field.name for field in dataclasses.fields(schema)]
    for name in values:
        if name not in keys and name not in BUILDER_KEYS:
            raise UnknownKeyError(prefix, str(name), values[name], keys)
    given = dict(values)
    for field in dataclasses.fields(schema):
        if field.name not in values:
            given[field.name] = _default(field, f"{prefix}{field.name}")
    return {
        name: _checked(hints[name], value, f"{prefix}{name}") if name in values and name in hints else value
        for name, value in given.items()
    }


def _default(field: dataclasses.Field[Any], key: str) -> Any:
    """The default of a field as plain values; InputError for a field without one."""
    if field.default is not dataclasses.MISSING:
        return _plain(field.default)
    if field.default_factory is not dataclasses.MISSING:
        return _plain(field.default_factory())
    raise InputError(key, "", "missing", f"give {key} a value")


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return list(value) if isinstance(value, tuple) else value


def built(schema: type, plain: Mapping[str, Any]) -> Any:
    """The object of a dataclass from typed plain values: mappings become its nested dataclasses, lists its tuples."""
    hints = _hints(schema)
    return schema(**{name: _object(hints[name], value) for name, value in plain.items() if name in hints})


def _object(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    origin = get_origin(hint)
    if origin is Annotated:
        return _object(get_args(hint)[0], value)
    if origin in (Union, types.UnionType):
        fitting = [part for part in get_args(hint) if part is not type(None)]
        if isinstance(value, list):  # of several kinds of list the deepest that fits: [[a,b],[c]] beside [a,b]
            fitting = [part for part in fitting if get_origin(part) in (list, tuple)] or fitting
            nested = isinstance(next(iter(value), None), list)
            fitting = [
                part for part in fitting if (get_origin(get_args(part)[0]) in (list, tuple)) == nested
            ] or fitting
        return _object(fitting[0], value) if len(fitting) == 1 or isinstance(value, list) else value
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(_object(get_args(hint)[0], entry) for entry in value)
    if origin is list and isinstance(value, list | tuple):
        return [_object(get_args(hint)[0], entry) for entry in value]
    if origin is dict and isinstance(value, Mapping):
        return {name: _object(get_args(hint)[1], entry) for name, entry in value.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type) and isinstance(value, Mapping):
        return built(hint, value)
    return value


def shown(value: Any) -> str:
    """A value as one writes it on the command line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ",".join(shown(entry) for entry in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{shown(entry)}" for key, entry in value.items()) + "}"
    if dataclasses.is_dataclass(value):
        return str(getattr(value, "name", type(value).__name__))
    return str(value)


@functools.lru_cache(maxsize=None)  # noqa: UP033 - a pure function of the class
def _hints(schema: type) -> dict[str, Any]:
    return get_type_hints(schema, include_extras=True)


def _checked(hint: Any, value: Any, key: str) -> Any:
    if hint is Any:
        return value
    origin = get_origin(hint)
    if origin is Annotated:
        bare, *extras = get_args(hint)
        result = _checked(bare, value, key)
        for limit in extras:
            if isinstance(limit, Limit) and result is not None and not limit.holds(result):
                raise InputError(key, shown(value), limit.words, limit.remedy)
        return result
    if origin in (Union, types.UnionType):
        if value is None and type(None) in get_args(hint):
            return None
        return _any_of([part for part in get_args(hint) if part is not type(None)], value, key)
    if origin is Literal:
        options = [shown(option) for option in get_args(hint)]
        if value not in get_args(hint) or isinstance(value, bool):
            near = did_you_mean(shown(value), options)
            raise InputError(key, shown(value), f"must be one of {listed(options)}", _remedy(near, options))
        return value
    if _is_prepared(hint, value):
        return value
    if origin in (list, tuple):
        if not isinstance(value, list | tuple):
            raise InputError(key, shown(value), "must be a list", f"write {key}=[{shown(value)}]")
        of_mappings = dataclasses.is_dataclass(get_args(hint)[0])
        return [
            _checked(get_args(hint)[0], entry, f"{key}.{place}" if of_mappings else key)
            for place, entry in enumerate(value)
        ]
    if origin is dict:
        if not isinstance(value, Mapping):
            raise InputError(key, shown(value), "must be a mapping", f"write {key}={{name:value}}")
        return {str(name): _checked(get_args(hint)[1], entry, f"{key}.{name}") for name, entry in value.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, Mapping):
            keys = ",".join(f"{name}:..." for name in _hints(hint))
            raise InputError(key, shown(value), "must be a mapping", f"write {key}={{{keys}}}")
        return typed(hint, value, f"{key}.")
    return _scalar(hint, value, key)


def _is_prepared(hint: Any, value: Any) -> bool:
    """True when a list holds objects that the hint wants already, as the contenders of a task."""
    entries = value if isinstance(value, list | tuple) else ()
    wanted = get_args(hint)[0] if get_origin(hint) in (list, tuple) else None
    return bool(entries) and isinstance(wanted, type) and all(isinstance(entry, wanted) for entry in entries)


def _any_of(hints: list[Any], value: Any, key: str) -> Any:
    for hint in hints[:-1]:
        try:
            return _checked(hint, value, key)
        except InputError:
            continue
    return _checked(hints[-1], value, key)


def _scalar(kind: type, value: Any, key: str) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind is bool and isinstance(value, bool):
        return value
    if kind is float and number and value == value:
        return float(value)
    if kind is int and number and float(value).is_integer():
        return int(value)
    if kind is str and (isinstance(value, str) or number):
        return str(value)  # a column may be called 7
    actual = "null" if value is None else f"not the {type(value).__name__} {shown(value)}"
    if isinstance(value, str):
        actual = f"not the text '{value}'"
    raise InputError(key, shown(value), f"must be {_WORDS[kind]}, {actual}", f"e.g. {key}={_EXAMPLES[kind]}")


_EXAMPLES = {int: "10", float: "0.5", bool: "true", str: "name"}


def _remedy(near: str, options: list[str]) -> str:
    return near if near.startswith("did you") else f"e.g. {options[0]}"
