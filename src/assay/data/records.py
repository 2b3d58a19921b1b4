"""Data as methods receive them: plain arrays with ids, and the typed table beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assay.data.provenance import Description, Provenance

if TYPE_CHECKING:
    from assay.arrays import Flags, Floats, Integers
    from assay.data.population import Population
    from assay.data.table import Table


@dataclass(frozen=True, eq=False)
class Arrays:
    """One part of a split: features [rows, d], target [rows], ids [rows], clean [rows], source [rows] or None."""

    features: Floats  # whole numbers where they are token ids
    # regression: in units of the standard deviation on valid, with a known population in its own; else the class index
    target: Floats | Integers
    ids: Integers  # position of the row in its source, the same whatever is subsampled
    clean: Flags  # False where corruption was injected
    source: Integers | None = None  # who owns the row, from 0

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, eq=False)
class PreparedData:
    """The three parts of a dataset as arrays, with what a method needs to know of them."""

    train: Arrays
    valid: Arrays
    test: Arrays
    kind: str  # regression | classification
    classes: tuple[str, ...]  # empty for regression
    feature_names: tuple[str, ...]
    modality: str  # table | image | text | tokens; encoded rows are a table
    provenance: Provenance
    source_names: tuple[str, ...] = ()
    vocabulary: int = 0  # of token ids, padding included
    description: Description | None = None  # of a user's own table
    population: Population | None = None  # that the features as they are, and undamaged targets, were drawn from
    table: Table | None = None  # all rows of the dataset, before encoding, subsampling and damage
    positions: Mapping[str, Integers] = field(default_factory=dict)  # of the rows of train, valid and test in the table
    taken_as_public: tuple[str, ...] = ()  # sentences, where the data were prepared without a look at private rows

    def rows(self, part: str) -> Table:
        """The typed rows of train, valid or test, in the order of the part; ValueError for data without a table."""
        if self.table is None:
            raise ValueError("these data have no table")
        return self.table.take(self.positions[part])
