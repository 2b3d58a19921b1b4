"""What the data layer hands to methods: plain arrays with ids, and where they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.arrays import Flags, Floats, Integers
    from assay.data.population import Population


@dataclass(frozen=True)
class Provenance:
    """Which provider served a dataset, under what name, and the sha256 of what was read."""

    provider: str  # "built in" | "synthetic" | "local path" | "archive" | "canonical"
    source: str  # package==version, file name or URL
    sha256: str


@dataclass(frozen=True)
class Description:
    """How a user's own table was read."""

    target: str
    columns: Mapping[str, str]  # feature column -> numeric | categorical | text
    left_out: Mapping[str, str]  # column -> why; the reasons hold no counts
    rows: int  # of the table
    incomplete: int = 0  # of them left out for a missing cell


@dataclass(frozen=True, eq=False)
class Arrays:
    """One part of a split: features [rows, d], target [rows], ids [rows], clean [rows], source [rows] or None."""

    features: Floats
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
    modality: str  # table | image | text; encoded rows are a table
    provenance: Provenance
    source_names: tuple[str, ...] = ()
    description: Description | None = None  # of a user's own table
    population: Population | None = None  # that the features as they are, and undamaged targets, were drawn from
