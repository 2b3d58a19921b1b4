"""Reference of an option, read from its class and its YAML: keys with types, limits, defaults and comments."""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from assay.config.compose import option_values
from assay.config.limits import Limit
from assay.config.listing import description
from assay.config.locations import conf_root
from assay.config.root import Paths
from assay.config.targets import locate
from assay.config.typed import shown

_WORDS = {int: "whole number", float: "number", bool: "true or false", str: "text", Any: "anything"}
_FACTS = ("Guarantee", "Cost", "Source")  # paragraphs of a docstring that are shown by name
_PARAGRAPHS = re.compile(r"\n\s*\n|\s(?=(?:{}): )".format("|".join(_FACTS)))
_COMMENTED = re.compile(r"^(?P<indent> *)(?P<key>[\w.]+):(?P<value>[^#]*)(#\s*(?P<comment>.*))?$")


@dataclass(frozen=True)
class Key:
    """One key of an option: its kind and limit in words, its default as one writes it, its comment."""

    name: str
    kind: str
    default: str
    limit: str
    comment: str


@dataclass(frozen=True)
class Reference:
    """An option: its line, the sentences of its class, facts by name, and its keys."""

    about: str
    sentences: str
    facts: Mapping[str, str]
    keys: tuple[Key, ...]


def reference_of(group: str, option: str, folders: Sequence[Path] = ()) -> Reference:
    """The reference of an option of a group; `folders` are searched before what ships. InputError for an unknown one."""
    places = [*folders, conf_root()]
    values = option_values(group, option, places)
    owner = locate(values["_target_"], f"{group}._target_") if "_target_" in values else Paths
    comments = _comments(group, option, places)
    sentences, facts = _documented(owner)
    keys = tuple(
        dataclasses.replace(key, comment=comments.get(key.name, comments.get(key.name.rpartition(".")[0], "")))
        for key in _keys(owner, values)
        if key.name != "name"
    )
    file = next(place / group / f"{option}.yaml" for place in places if (place / group / f"{option}.yaml").is_file())
    return Reference(description(file.read_text(encoding="utf-8").splitlines()), sentences, facts, keys)


def _keys(owner: type, values: Mapping[str, Any], prefix: str = "") -> Iterator[Key]:
    """The keys of a class with the values of its file; those of a nested class follow it with its name in front."""
    if not dataclasses.is_dataclass(owner):
        for name, parameter in inspect.signature(owner).parameters.items():
            default = values.get(name, None if parameter.default is inspect.Parameter.empty else parameter.default)
            yield Key(f"{prefix}{name}", "anything", _written(default), "", "")
        return
    hints = get_type_hints(owner, include_extras=True)
    for field in dataclasses.fields(owner):
        if not field.init:
            continue
        value = values.get(field.name, _default(field))
        nested = _nested(hints[field.name])
        if nested is not None and not isinstance(value, list | tuple):
            below = value if isinstance(value, Mapping) else {}
            yield from _keys(nested, below, f"{prefix}{field.name}.")
            continue
        limits = [extra for extra in _extras(hints[field.name]) if isinstance(extra, Limit)]
        words = "; ".join(limit.words for limit in limits)
        yield Key(f"{prefix}{field.name}", kind_of(hints[field.name]), _written(value), words, "")


def kind_of(hint: Any) -> str:
    """A type in words."""
    origin = get_origin(hint)
    if origin is Annotated:
        return kind_of(get_args(hint)[0])
    if origin is Literal:
        return " | ".join(map(shown, get_args(hint)))
    if origin in (Union, types.UnionType):
        kinds = ["null" if part is type(None) else kind_of(part) for part in get_args(hint)]
        return " or ".join(dict.fromkeys(kinds))
    if origin in (list, tuple, Sequence):
        return f"list of {kind_of(get_args(hint)[0])}"
    if origin in (dict, Mapping):
        return f"mapping to {kind_of(get_args(hint)[1])}"
    return _WORDS.get(hint, getattr(hint, "__name__", str(hint)))


def _nested(hint: Any) -> type | None:
    """The dataclass that a hint names, also beside null; None for any other."""
    if get_origin(hint) is Annotated:
        return _nested(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        classes = [each for part in get_args(hint) if (each := _nested(part)) is not None]
        return classes[0] if len(classes) == 1 else None
    return hint if isinstance(hint, type) and dataclasses.is_dataclass(hint) else None


def _extras(hint: Any) -> Iterator[Any]:
    if get_origin(hint) is Annotated:
        yield from get_args(hint)[1:]
    elif get_origin(hint) in (Union, types.UnionType):
        for part in get_args(hint):
            yield from _extras(part)


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else None


def _written(value: Any) -> str:
    """A value as one writes it; a size by scale as `smoke 20, laptop 200, paper 1000`."""
    text = shown(value)
    if match := re.fullmatch(r"\$\{at_scale:\{(.*)\}\}", text):
        return match[1].replace(":", " ").replace(",", ", ")
    return text


def _documented(owner: type) -> tuple[str, dict[str, str]]:
    """The sentences of a docstring, and those of its paragraphs that begin with the name of a fact."""
    sentences, facts = [], {}
    for text in _PARAGRAPHS.split(inspect.getdoc(owner) or ""):
        text = " ".join(text.split())
        name, _, rest = text.partition(": ")
        if name in _FACTS:
            facts[name.lower()] = rest
        else:
            sentences.append(text)
    for name in ("good_for", "cost"):
        if isinstance(said := getattr(owner, name, None), str):
            facts[name.replace("_", " ")] = said
    return " ".join(sentences), facts


def _comments(group: str, option: str, places: Sequence[Path]) -> dict[str, str]:
    """Comments of the keys in an option's file, then in the files that its defaults name."""
    file = next((each for place in places if (each := place / group / f"{option}.yaml").is_file()), None)
    if file is None:
        return {}
    lines = file.read_text(encoding="utf-8").splitlines()
    comments: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for line in lines:
        if base := re.match(r"^defaults: \[(.*)\]", line):
            for name in base[1].split(","):
                comments = {**_comments(group, name.strip(), places), **comments}
        elif match := _COMMENTED.match(line):
            above = [(indent, key) for indent, key in above if indent < len(match["indent"])]
            name = ".".join([*(key for _, key in above), match["key"]])
            above.append((len(match["indent"]), match["key"]))
            if match["comment"]:
                comments[name] = match["comment"].strip()
    return comments
