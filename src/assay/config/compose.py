"""From overrides to a checked, resolved config."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from assay.config.locations import conf_root
from assay.config.validate import validated

if TYPE_CHECKING:
    from omegaconf import DictConfig

_TYPES = "dataset.types."
# free text, which hydra may not read bare
_TEXTS = ("dataset.path", "dataset.target", "paths.outputs", "paths.data", "privacy.matrix")
_SAFE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_ESCAPE = re.compile(r"_x([0-9a-f]*)_")


def compose(overrides: Sequence[str], config_dir: str | None = None) -> dict[str, Any]:
    """The resolved and checked config that `assay run OVERRIDES...` would carry out, without hydra's own keys.

    `config_dir` is a folder of further options, as with --config-dir. Raises AssayError (one line).
    """
    from assay.config.explain import explained

    extra = [f"hydra.searchpath=[file://{config_dir}]"] if config_dir else []
    given = [*(readable(override) for override in overrides), *extra]
    with explained(given):
        return checked(raw(given))


def readable(override: str) -> str:
    """The override as hydra can read it; every other argument as it is.

    dataset.types.COLUMN=TYPE and dataset.types={"COLUMN": TYPE} need no `+`, and a column may have any name: what hydra's
    grammar has no place for is escaped until `checked`. A path or target that hydra cannot read bare (~, parentheses,
    accents) is put in quotes.
    """
    bare = override.lstrip("+")
    if bare.startswith(_TYPES) and "=" in bare:
        column, _, kind = bare.removeprefix(_TYPES).rpartition("=")
        return f"++{_TYPES}{_escaped(column)}={kind}"
    key, equals, value = bare.partition("=")
    if f"{key}." == _TYPES and value.startswith("{"):
        return f"++{key}={_readable_types(value)}"
    if not equals or key not in _TEXTS or _is_read(override):
        return override
    quoted = re.sub(r'(\\*)("|$)', lambda found: found[1] * 2 + ('\\"' if found[2] else ""), value)
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
    return "{" + ",".join(f"{_escaped(str(column))}:{kind}" for column, kind in types.items()) + "}"


def spelt(key: str) -> str:
    """A key of a readable override as the user wrote it."""
    key = key.lstrip("+")
    return _TYPES + _unescaped(key.removeprefix(_TYPES)) if key.startswith(_TYPES) else key


def _is_read(override: str) -> bool:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        OverridesParser.create().parse_override(override)
    except HydraException:
        return False
    return True


def _escaped(column: str) -> str:
    if _SAFE.fullmatch(column) and not _ESCAPE.search(column):
        return column
    return re.sub(
        r"^$|^\d|_(?=x)|[^A-Za-z0-9_-]|^-", lambda found: f"_x{ord(found[0]):x}_" if found[0] else "_x_", column
    )


def _unescaped(column: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else "", column)


def raw(overrides: Sequence[str]) -> DictConfig:
    """What hydra composes, unresolved and unchecked, hydra's own keys included; raises hydra's errors."""
    import hydra

    with hydra.initialize_config_dir(config_dir=str(conf_root()), version_base="1.3"):
        return hydra.compose("config", overrides=list(overrides), return_hydra_config=True)


def checked(composed: DictConfig, choices: Mapping[str, str | None] | None = None) -> dict[str, Any]:
    """Resolves and checks what hydra composed; `choices` (group -> option) defaults to what its hydra key holds."""
    from omegaconf import OmegaConf, open_dict

    if choices is None:
        choices = {str(group): choice for group, choice in composed.hydra.runtime.choices.items()}
    if "hydra" in composed:
        composed = composed.copy()
        with open_dict(composed):
            del composed["hydra"]
    values = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
    assert isinstance(values, dict)
    dataset = values.get("dataset")
    if isinstance(dataset, dict) and isinstance(dataset.get("types"), dict):
        dataset["types"] = {_unescaped(str(column)): kind for column, kind in dataset["types"].items()}
    return validated({str(key): value for key, value in values.items()}, choices)
