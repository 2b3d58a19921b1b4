"""From overrides to a checked, resolved config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from assay.config.locations import conf_root
from assay.config.validate import validated

if TYPE_CHECKING:
    from omegaconf import DictConfig


def compose(overrides: Sequence[str], config_dir: str | None = None) -> dict[str, Any]:
    """The resolved and checked config that `assay run OVERRIDES...` would carry out, without hydra's own keys.

    `config_dir` is a folder of further options, as with --config-dir. Raises AssayError (one line).
    """
    from assay.config.explain import explained

    extra = [f"hydra.searchpath=[file://{config_dir}]"] if config_dir else []
    with explained([*overrides, *extra]):
        return checked(raw([*overrides, *extra]))


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
    return validated({str(key): value for key, value in values.items()}, choices)
