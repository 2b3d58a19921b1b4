"""The cells of a sweep: expanded, composed and checked, all of them before the first is carried out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.config.choices import Choices
from assay.config.compose import checked, raw
from assay.config.explain import explained
from assay.config.overrides import spelt
from assay.config.root import Root
from assay.errors import AssayError, InputError

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override
    from omegaconf import DictConfig

MOST_CELLS = 10_000


@dataclass(frozen=True, eq=False)
class Cell:
    """One run of a sweep: its overrides, the values of the swept keys, and its checked choices."""

    overrides: tuple[str, ...]
    swept: Mapping[str, str]
    choices: Choices

    @property
    def label(self) -> str:
        """The swept keys and their values, as one writes them."""
        return label(self.swept) or self.choices.name


def label(swept: Mapping[str, str]) -> str:
    """Keys and values as one writes them."""
    return " ".join(f"{key}={value}" for key, value in swept.items())


def cells_of(overrides: Sequence[str]) -> list[Cell]:
    """The checked cells of a sweep, in hydra's order: the last swept key changes first.

    Raises AssayError, in one line that names the cell, for the first that cannot be composed or whose choices are wrong.
    """
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.override_parser.overrides_parser import OverridesParser

    of_hydra = [each for each in overrides if each.startswith("hydra.")]
    with explained(overrides):
        parser = OverridesParser.create()
        parsed = parser.parse_overrides([each for each in overrides if each not in of_hydra])
        sweeps = [each for each in parsed if each.is_sweep_override()]
        _check_count(sweeps)
        (batch, *_) = BasicSweeper.split_arguments(parsed, max_batch_size=None) or [[[]]]
    places = {place: spelt(each.get_key_element()) for place, each in enumerate(parsed) if each.is_sweep_override()}
    composer = _Composer(of_hydra)
    cells = []
    for number, cell in enumerate(batch, start=1):
        swept = {key: cell[place].partition("=")[2] for place, key in places.items()}
        try:
            with explained(cell):
                cells.append(Cell((*cell, *of_hydra), swept, composer.choices(cell)))
        except AssayError as error:
            if len(batch) == 1:
                raise
            raise AssayError(f"cell {number} of {len(batch)} ({label(swept)}): {error}") from error
    return cells


def _check_count(sweeps: Sequence[Override]) -> None:
    for each in sweeps:
        count = len(list(each.sweep_string_iterator()))
        if count == 0:
            limit, remedy = "names no value", "name one, or leave the key out"
            value = str(each.input_line).partition("=")[2]
            raise InputError(spelt(each.get_key_element()), value, limit, remedy)
    count = math.prod(len(list(each.sweep_string_iterator())) for each in sweeps)
    if count > MOST_CELLS:
        raise AssayError(f"-m: {count} runs, and a sweep has {MOST_CELLS} at most (sweep fewer values at a time)")


class _Composer:
    """Composes cells: hydra reads its files once for each choice of options, and values are set in a copy."""

    def __init__(self, of_hydra: Sequence[str]) -> None:
        self._of_hydra = list(of_hydra)
        self._bases: dict[tuple[str, ...], tuple[DictConfig, Any]] = {}

    def choices(self, cell: Sequence[str]) -> Choices:
        from hydra._internal.config_loader_impl import ConfigLoaderImpl
        from hydra.core.override_parser.overrides_parser import OverridesParser
        from omegaconf import open_dict

        parsed = OverridesParser.create().parse_overrides(list(cell))
        values = [each for each in parsed if _is_value(each)]
        options = tuple(str(each.input_line) for each in parsed if not _is_value(each))
        if options not in self._bases:
            base = raw([*options, *self._of_hydra])
            own = base.hydra
            with open_dict(base):
                del base["hydra"]
            self._bases[options] = base, own
        base, own = self._bases[options]
        config = base.copy()
        ConfigLoaderImpl._apply_overrides_to_config(values, config)
        return checked(config, own, given=cell)


def _is_value(override: Override) -> bool:
    """True for a key of a run or of an option; any other may choose an option, which is hydra's to read."""
    key = override.key_or_group
    plain = "." in key or key in Root.__dataclass_fields__
    return plain and override.package is None and "/" not in key and not key.startswith("hydra")
