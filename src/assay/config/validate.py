"""From resolved values to checked choices: each group against the class that its `_target_` names, then the whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from assay.config import contenders as comparison
from assay.config.choices import Choices, accounted
from assay.config.contenders import Contender
from assay.config.listing import defaults, shipped
from assay.config.root import GROUPS, Paths, Root
from assay.config.suggest import did_you_mean
from assay.config.targets import Live, option_of, with_live
from assay.config.typed import UnknownKeyError, shown, typed
from assay.errors import InputError

Values = dict[str, Any]


def validated(
    values: Mapping[str, Any],
    chosen: Mapping[str, str | None],
    options: Mapping[str, Sequence[str]],
    load: Callable[[str, str], Values],
    live: Mapping[str, Mapping[str, Live]] | None = None,
) -> Choices:
    """The choices of a run from its resolved config.

    `chosen` says which option each group took, `options` which there are, `load` reads the values of one of them; `live`
    holds objects from Python by group and field. An option is checked against the class that its `_target_` names.
    Raises InputError.
    """
    plain = {key: value for key, value in values.items() if key not in GROUPS}
    _no_unknown_root_key(plain)
    config = typed(Root, plain)
    objects: Values = {}
    build = partial(_option, options=options, load=load)
    groups = {group: _with_name(group, chosen.get(group) or "", values.get(group), options) for group in GROUPS}
    for group in GROUPS:
        if group == "task" and "contenders" in groups[group]:
            continue
        config[group], objects[group] = with_live(*build(group, groups[group]), (live or {}).get(group, {}))
    if "task" not in objects:
        config["task"], objects["task"] = _comparing(groups, options, load, build)
    run = Choices(
        **{key: config[key] for key in ("name", "scale", "seed", "workers")},
        **objects,
        option={group: str(groups[group].get("name", chosen.get(group))) for group in GROUPS},
        config=config,
    )
    run.check()
    return run


def _no_unknown_root_key(plain: Mapping[str, Any]) -> None:
    known = [*GROUPS, "experiment", *Root.__dataclass_fields__]
    for name, value in plain.items():
        if name not in known:
            raise InputError(str(name), shown(value), "unknown key", did_you_mean(str(name), known))


def _with_name(group: str, choice: str, values: Any, options: Mapping[str, Sequence[str]]) -> Values:
    """The values of a group with the name of its option; a user's own file may give a shipped option other values."""
    if not isinstance(values, Mapping):
        raise InputError(group, shown(values), "a run needs one", f"one of {', '.join(options[group])}")
    option = {str(key): value for key, value in values.items()}
    if group == "paths":
        return option
    name = option.setdefault("name", choice)
    if choice in options[group] and name != choice and choice in shipped(group):
        raise InputError(f"{group}.name", shown(name), f"names the option {choice}", f"choose with {group}=...")
    return option


def _option(
    group: str, values: Values, *, options: Mapping[str, Sequence[str]], load: Callable[[str, str], Values]
) -> tuple[Values, Any]:
    """Typed plain values and object of an option; an unknown key is looked for in the other options of its group."""
    try:
        return _checked(group, values)
    except UnknownKeyError as error:
        keys = {name: load(group, name) for name in options[group]}
        raise error.of_options(group, str(values.get("name", group)), keys) from error


def _checked(group: str, values: Values) -> tuple[Values, Any]:
    if group == "paths":
        plain = typed(Paths, values, "paths.")
        return plain, Paths(**plain)
    if "_target_" not in values:
        limit = "an option of your own names what it builds, and this one does not"
        raise InputError(group, shown(values["name"]), limit, "give it a _target_: package.module.Class")
    return option_of(values, group)


def _comparing(
    groups: Mapping[str, Values],
    options: Mapping[str, Sequence[str]],
    load: Callable[[str, str], Values],
    build: Callable[[str, Values], tuple[Values, Any]],
) -> tuple[Values, Any]:
    """The task of a comparison, its contenders built before it."""
    entries = comparison.expanded(groups["task"]["contenders"], groups, options, load)
    plain: Values = {}
    objects = []
    for name, chosen in entries.items():
        pairs = {group: build(group, dict(values)) for group, values in chosen.items()}
        inherited = chosen["privacy"] is groups["privacy"]
        if inherited and not accounted(pairs["valuation"][1], pairs["privacy"][1]):
            without = defaults()["privacy"]  # named by its valuation alone, which has no private estimate
            pairs["privacy"] = build("privacy", load("privacy", without))
        plain[name] = {group: pair[0] for group, pair in pairs.items()}
        objects.append(Contender(name, **{group: pair[1] for group, pair in pairs.items()}))
    config, task = build("task", {**groups["task"], "contenders": tuple(objects)})
    return {**config, "contenders": plain}, task
