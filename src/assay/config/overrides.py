"""Overrides as a user writes them, and as hydra's grammar can read them."""

from __future__ import annotations

import re

from assay.config.root import GROUPS

_TYPES = "dataset.types."
_FREE = ("model.arguments.",)  # keys that a library knows
# free text, which hydra may not read bare
TEXTS = (
    *("dataset.path", "dataset.target", "dataset.schema", "dataset.index", "dataset.owner", "dataset.delimiter"),
    *("paths.outputs", "paths.data", "privacy.matrix"),
)
_SAFE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_ESCAPE = re.compile(r"_x([0-9a-f]*)_")


def readable(override: str) -> str:
    """The override as hydra can read it; every other argument as it is.

    dataset.types.COLUMN=TYPE and dataset.types={"COLUMN": TYPE} need no `+`, and a column may have any name: what hydra's
    grammar has no place for is escaped until the config is checked. A path or target that hydra cannot read bare (~, parentheses,
    accents) is put in quotes.
    """
    if override.partition(".")[0] in GROUPS and "=" in override:
        override = f"++{override}"  # a key that the option does not have is refused by its class, which knows them all
    bare = override.lstrip("+")
    if bare.startswith(_TYPES) and "=" in bare:
        column, _, kind = bare.removeprefix(_TYPES).rpartition("=")
        return f"++{_TYPES}{escaped(column)}={kind}"
    key, equals, value = bare.partition("=")
    if f"{key}." == _TYPES and value.startswith("{"):
        return f"++{key}={_readable_types(value)}"
    if override == bare and (key.startswith(_FREE) or ("." in key and value.startswith("{"))):
        return f"++{override}"  # a mapping may have keys that the option's file does not name; typed values are checked
    if not equals or key not in TEXTS or (_is_read(override) and not _is_other_text(override)):
        return override
    quoted = re.sub(r'(\\*)("|$)', lambda match: match[1] * 2 + ('\\"' if match[2] else ""), value)
    return f'{override[: len(override) - len(value)]}"{quoted}"'


def _readable_types(mapping: str) -> str:
    """{"a column": TYPE}, as JSON and YAML write it, with its columns escaped; what is no such mapping as it is."""
    import yaml

    if _is_read(f"k={mapping}"):
        return mapping
    try:
        types = yaml.safe_load(mapping)
    except yaml.YAMLError:
        return mapping
    return "{" + ",".join(f"{escaped(str(column))}:{kind}" for column, kind in types.items()) + "}"


def spelt(key: str) -> str:
    """A key of a readable override as the user wrote it."""
    key = key.lstrip("+")
    return _TYPES + unescaped(key.removeprefix(_TYPES)) if key.startswith(_TYPES) else key


def _is_read(override: str) -> bool:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        OverridesParser.create().parse_override(override)
    except HydraException:
        return False
    return True


def _is_other_text(override: str) -> bool:
    """True for a text that hydra reads as a number or a boolean, and so as another text: 1e5, 1_000, true."""
    from hydra.core.override_parser.overrides_parser import OverridesParser

    value = OverridesParser.create().parse_override(override).value()
    return isinstance(value, int | float)


def escaped(column: str) -> str:
    if _SAFE.fullmatch(column) and not _ESCAPE.search(column):
        return column
    return re.sub(
        r"^$|^\d|_(?=x)|[^A-Za-z0-9_-]|^-", lambda match: f"_x{ord(match[0]):x}_" if match[0] else "_x_", column
    )


def unescaped(column: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else "", column)
