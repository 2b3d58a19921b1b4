"""Contenders of a comparison: each a valuator under a privacy choice, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assay.config.suggest import did_you_mean
from assay.config.typed import shown
from assay.errors import InputError

GROUPS = ("privacy", "valuation")  # a plain name is looked up in this order
OPTION = "option"  # key of a mapping that names the option; the others are its own keys
KEY = "task.contenders"


@dataclass(frozen=True)
class Contender:
    """A valuator under a privacy choice, both whole option objects; `name` stands in tables and metrics."""

    name: str
    valuation: Any
    privacy: Any


Contenders = tuple[Contender, ...]
"""The type of a task's field `contenders`; its default lists plain names, as the YAML does."""

Values = dict[str, Any]


def expanded(
    entries: Any, groups: Mapping[str, Values], options: Mapping[str, Sequence[str]], load: Callable[[str, str], Values]
) -> dict[str, dict[str, Values]]:
    """Name -> group -> values of each contender, from the entries of `task.contenders`.

    An entry is the name of an option of privacy, else of valuation, or a mapping of one name to groups:
    ``{knn: {valuation: semivalue}}``, ``{late: {privacy: {option: running_mean_burn_in, burn_in: 0.9}}}``. The values are
    those of the option's file (`load`), over them the run's own values (`groups`) of the keys that both options have, over
    them the contender's own keys. Raises InputError.
    """
    if isinstance(entries, Mapping):
        entries = [{name: chosen} for name, chosen in entries.items() if chosen is not None]
    if not isinstance(entries, Sequence) or isinstance(entries, str) or not entries:
        raise InputError(KEY, shown(entries), "must be a list with an entry", f"e.g. {KEY}=[none,iid]")
    contenders: dict[str, dict[str, Values]] = {}
    for entry in entries:
        name, chosen = _named(entry, options)
        if name in contenders:
            raise InputError(KEY, shown(entries), f"'{name}' stands there twice", "give one of them another name")
        contenders[name] = {group: _option(group, chosen.get(group), groups, options, load) for group in GROUPS}
    return contenders


def _named(entry: Any, options: Mapping[str, Sequence[str]]) -> tuple[str, Mapping[str, Any]]:
    if isinstance(entry, str):
        for group in GROUPS:
            if entry in options[group]:
                return entry, {group: entry}
        known = [name for group in GROUPS for name in options[group]]
        raise InputError(KEY, entry, "names no option of privacy or valuation", did_you_mean(entry, known))
    if isinstance(entry, Mapping) and len(entry) == 1:
        ((name, chosen),) = entry.items()
        if isinstance(chosen, Mapping) and set(chosen) <= set(GROUPS):
            return str(name), chosen
    raise InputError(
        KEY, shown(entry), "must be a name, or a name with its choices", "e.g. {knn: {valuation: semivalue}}"
    )


def _option(
    group: str,
    choice: Any,
    groups: Mapping[str, Values],
    options: Mapping[str, Sequence[str]],
    load: Callable[[str, str], Values],
) -> Values:
    own = groups[group]
    if choice is None:
        return own
    keys = {str(key): value for key, value in choice.items()} if isinstance(choice, Mapping) else {OPTION: choice}
    name = keys.pop(OPTION, own.get("name"))
    if name not in options[group]:
        raise InputError(f"{KEY}.{group}", shown(name), "unknown option", did_you_mean(str(name), options[group]))
    values = dict(own) if name == own.get("name") else load(group, str(name))
    for key in keys:
        if key not in values:
            raise InputError(f"{KEY}.{group}.{key}", shown(keys[key]), "unknown key", did_you_mean(key, values))
    shared = {key: own[key] for key in values if key in own and key not in ("name", "_target_")}
    return {**values, **shared, **keys}
