"""The parties (data owners) of a train split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.errors import InputError

if TYPE_CHECKING:
    from assay.data.records import Arrays, Flags, Floats, Integers


@dataclass(frozen=True, eq=False)
class Parties:
    """Which rows belong to whom: source [m], rows of each (positions in train), and the share of them that is clean [m]."""

    source: Integers
    rows: tuple[Integers, ...]
    clean_share: Floats

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of rows of each party."""
        return tuple(len(rows) for rows in self.rows)

    @property
    def clean(self) -> Flags:
        """Whether every row of the party is as it was [m]."""
        flags: Flags = self.clean_share == 1.0
        return flags


def parties_of(train: Arrays) -> Parties:
    """The parties that own a row of train, in order of source; InputError when the rows have no sources."""
    import numpy as np

    if train.source is None:
        remedy = "e.g. dataset.sources.count=20, or a dataset with sources of its own"
        raise InputError("dataset.sources.count", 0, "the rows have no sources to value", remedy)
    source = np.unique(train.source)
    rows = tuple(np.flatnonzero(train.source == each) for each in source)
    if len(rows) < 2:
        raise InputError("dataset.sources.count", len(rows), "one party has nobody to compare with", "use 10 or more")
    return Parties(source, rows, np.array([train.clean[members].mean() for members in rows]))
