"""From overrides to the checked choices of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.config.choices import Choices
from assay.config.listing import options as listed
from assay.config.locations import conf_root
from assay.config.overrides import readable, unescaped
from assay.config.root import GROUPS, SCALES
from assay.config.suggest import did_you_mean
from assay.config.targets import Live
from assay.config.typed import ForeignKeyError, shown
from assay.config.validate import validated
from assay.errors import InputError

if TYPE_CHECKING:
    from omegaconf import DictConfig

Values = dict[str, Any]


def compose(
    overrides: Sequence[str], config_dir: str | None = None, live: Mapping[str, Mapping[str, Live]] | None = None
) -> Choices:
    """The checked choices that `assay run OVERRIDES...` would carry out.

    `config_dir` is a folder of further options, as with --config-dir; `live` holds objects from Python by group and field.
    Raises AssayError (one line).
    """
    from assay.config.explain import explained

    extra = [f"hydra.searchpath=[file://{config_dir}]"] if config_dir else []
    given = [*(readable(override) for override in overrides), *extra]
    with explained(given):
        return checked(raw(given), live=live)


def raw(overrides: Sequence[str]) -> DictConfig:
    """The config as hydra composes it, unresolved and unchecked, hydra's own keys included; raises hydra's errors."""
    import hydra

    with hydra.initialize_config_dir(config_dir=str(conf_root()), version_base="1.3"):
        return hydra.compose("config", overrides=list(overrides), return_hydra_config=True)


def checked(
    composed: DictConfig, hydra_config: Any = None, live: Any = None, given: Sequence[str] | None = None
) -> Choices:
    """Resolves and checks what hydra composed; `hydra_config` is its hydra key where `composed` lacks it.

    `given` are the overrides where these are not those that hydra noted.
    """
    from omegaconf import open_dict

    own = composed.hydra if hydra_config is None else hydra_config
    chosen = {str(group): choice for group, choice in own.runtime.choices.items()}
    folders = [Path(str(source.path)) for source in own.runtime.config_sources if source.schema == "file"]
    composed = composed.copy()
    if "hydra" in composed:
        with open_dict(composed):
            del composed["hydra"]
    register_resolvers()
    _check_scale(composed)
    values = _resolved(composed)
    dataset = values.get("dataset")
    if isinstance(dataset, dict) and isinstance(dataset.get("types"), dict):
        dataset["types"] = {unescaped(str(column)): kind for column, kind in dataset["types"].items()}
    names = {group: [name for folder in folders for name, _ in _options(group, folder)] for group in GROUPS}
    try:
        return validated(values, chosen, names, _loader(composed, folders), live)
    except ForeignKeyError as error:
        raise _set_by_experiment(error, own if given is None else given, chosen) from error


def _set_by_experiment(error: ForeignKeyError, given: Any, chosen: Mapping[str, str]) -> InputError:
    """The same error where the user chose an option that lacks a key which the experiment sets."""
    experiment, group = chosen.get("experiment"), error.key.partition(".")[0]
    overrides = given if isinstance(given, Sequence) else given.overrides.task
    keys = [str(each).lstrip("+~").partition("=")[0] for each in overrides]
    if experiment is None or error.key in keys or group not in keys:
        return error
    limit = f"experiment={experiment} sets {error.key}, which this option does not have"
    return InputError(group, chosen[group], limit, f"leave {group} to the experiment, or drop the key: '~{error.key}'")


def _options(group: str, folder: Path) -> list[tuple[str, str]]:
    return listed(group, folder) if (folder / group).is_dir() else []


def _resolved(composed: DictConfig) -> Values:
    from omegaconf import OmegaConf

    values = OmegaConf.to_container(composed, resolve=True, throw_on_missing=True)
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}


def _check_scale(composed: DictConfig) -> None:
    scale = composed.get("scale")
    if scale not in SCALES:
        raise InputError("scale", shown(scale), f"must be one of {', '.join(SCALES)}", did_you_mean(str(scale), SCALES))


def _loader(composed: DictConfig, folders: Sequence[Path]) -> Callable[[str, str], Values]:
    """The function from a group and an option to the values of its file, interpolations resolved in the run's config."""

    def load(group: str, name: str) -> Values:
        from omegaconf import open_dict

        whole = composed.copy()
        with open_dict(whole):
            whole[group] = _option_file(group, name, folders)
        values = _resolved(whole)[group]
        return {"name": name, **values}

    return load


def option_values(group: str, name: str, folders: Sequence[Path]) -> Values:
    """The values of an option's file over those of its defaults, interpolations as they stand; InputError."""
    from omegaconf import OmegaConf

    values = OmegaConf.to_container(_option_file(group, name, folders))
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}


def _option_file(group: str, name: str, folders: Sequence[Path]) -> DictConfig:
    """The values of an option's file over those of the files that its defaults name."""
    from omegaconf import DictConfig, OmegaConf

    files = [folder / group / f"{name}.yaml" for folder in folders]
    file = next((each for each in files if each.is_file()), None)
    if file is None:
        raise InputError(group, name, "unknown option", "assay list shows the options")
    option = OmegaConf.load(file)
    assert isinstance(option, DictConfig)
    bases = [base for base in option.pop("defaults", ()) if isinstance(base, str) and base != "_self_"]
    merged = OmegaConf.merge(*(_option_file(group, base, folders) for base in bases), option)
    assert isinstance(merged, DictConfig)
    return merged


def register_resolvers() -> None:
    """Makes ``${at_scale:{smoke:20,laptop:200,paper:1000}}`` known: the entry of the run's scale."""
    from omegaconf import OmegaConf

    if not OmegaConf.has_resolver("at_scale"):
        OmegaConf.register_new_resolver("at_scale", _at_scale)


def _at_scale(sizes: Mapping[str, Any], *, _root_: Any) -> Any:
    from omegaconf import OmegaConf

    scale = str(_root_.scale)
    if scale not in sizes:
        raise InputError("scale", scale, "this size is not given", f"one of {', '.join(map(str, sizes))}")
    size = sizes[scale]
    return OmegaConf.create(list(size)) if isinstance(size, list | tuple) else size
