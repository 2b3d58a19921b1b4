"""Checks a composed config group by group against the schemas, then as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assay.config import schemas
from assay.config.checks import check_composition
from assay.config.listing import options
from assay.config.suggest import did_you_mean
from assay.config.typed import shown, typed
from assay.errors import InputError


def validated(values: Mapping[str, Any], choices: Mapping[str, str | None]) -> dict[str, Any]:
    """The resolved config with its schemas' types.

    `choices` is which option each group took. A user's own option, unknown to the schemas, passes unchecked when
    it says what to build by `_target_`. Raises InputError.
    """
    grouped = {key: value for key, value in values.items() if key in schemas.GROUPS}
    plain = {key: value for key, value in values.items() if key not in schemas.GROUPS}
    _no_unknown_root_key(plain)
    config = typed(schemas.Root, plain)
    for group in schemas.GROUPS:
        if not isinstance(grouped.get(group), Mapping):
            names = ", ".join(name for name, _ in options(group))
            raise InputError(group, shown(grouped.get(group)), "a run needs one", f"one of {names}")
        config[group] = _option(group, choices.get(group) or "", grouped[group])
    check_composition(config)
    return config


def _no_unknown_root_key(plain: Mapping[str, Any]) -> None:
    known = [*schemas.GROUPS, "experiment", "name", "seed", "workers", "progress", "report"]
    for name, value in plain.items():
        if name not in known:
            raise InputError(str(name), shown(value), "unknown key", did_you_mean(str(name), known))


def _option(group: str, choice: str, values: Mapping[str, Any]) -> dict[str, Any]:
    option = dict(values)
    if group == "paths":
        return typed(schemas.Paths, option, "paths.")
    name, shipped = option.setdefault("name", choice), [name for name, _ in options(group)]
    if choice in shipped and name != choice:
        raise InputError(f"{group}.name", shown(name), f"names the option {choice}", f"choose with {group}=...")
    # a user's own file may be a shipped option with other values, which then keeps its name
    schema = schemas.OPTIONS.get(group, {}).get(name) or (schemas.UNIFORM.get(group) if name in shipped else None)
    if schema is not None:
        return typed(schema, option, f"{group}.")
    if group not in schemas.OPEN and "_target_" not in option:
        told = "an option of your own says what to build, and this one does not"
        raise InputError(group, shown(name), told, "give it a _target_: package.module.Class")
    return option
