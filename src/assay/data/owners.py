"""Owners of training rows: how rows are divided among them, and who owns which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from assay.arrays import Flags, Floats, Integers
    from assay.data.options import Owners
    from assay.data.records import Arrays


def assign_sources(labels: Integers, settings: Owners, generator: np.random.Generator) -> Integers:
    """The source [rows] of each row with a label [rows]; every source owns at least one row.

    how=random: equal sizes up to one row. how=dirichlet: the rows of each label are divided by proportions drawn from
    Dirichlet(alpha), the usual label skew (Hsu, Qi and Brown 2019). how=label: rows in order of label, cut into equal
    sizes, so that a source sees few labels. For a regression pass the quantile bin of the target as label.
    """
    import numpy as np

    count, how, alpha = settings.count, settings.how, settings.alpha
    rows = len(labels)
    if count < 0 or count > rows:
        raise InputError("dataset.sources.count", count, f"must be in 0..{rows}", "one training row a source at least")
    order = generator.permutation(rows)
    source = np.empty(rows, dtype=np.int64)
    if how == "random":
        source[order] = np.arange(rows) * count // rows
    elif how == "label":
        by_label = order[np.argsort(labels[order], kind="stable")]
        source[by_label] = np.arange(rows) * count // rows
    elif how == "dirichlet":
        if not alpha > 0:
            raise InputError("dataset.sources.alpha", alpha, "must be > 0", "small is skewed, large is even")
        for label in np.unique(labels):
            members = order[labels[order] == label]
            cuts = np.rint(np.cumsum(generator.dirichlet(np.full(count, alpha)))[:-1] * len(members)).astype(np.int64)
            source[members] = np.searchsorted(cuts, np.arange(len(members)), side="right")
        _fill_empty(source, count, order)
    else:
        raise InputError("dataset.sources.how", how, "unknown", "random, dirichlet or label")
    return source


def _fill_empty(source: Integers, count: int, order: Integers) -> None:
    """Give each source without a row one of the rows of the largest source, in place."""
    import numpy as np

    for empty in range(count):
        sizes = np.bincount(source, minlength=count)
        if sizes[empty] == 0:
            largest = int(sizes.argmax())
            source[order[source[order] == largest][0]] = empty


@dataclass(frozen=True, eq=False)
class Parties:
    """Rows of each party: its source [m], its rows (positions in train), and the share of them that is clean [m]."""

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
        """True where every row of the party is as it was [m]."""
        flags: Flags = self.clean_share == 1.0
        return flags


def no_sources() -> InputError:
    """The error for rows without owners."""
    remedy = "e.g. dataset.sources.count=20, or for a table dataset.owner=COLUMN"
    return InputError("dataset.sources.count", 0, "the rows have no sources to value", remedy)


def parties_of(train: Arrays) -> Parties:
    """The parties that own a row of train, in order of source; InputError when the rows have no sources."""
    import numpy as np

    if train.source is None:
        raise no_sources()
    source = np.unique(train.source)
    rows = tuple(np.flatnonzero(train.source == each) for each in source)
    if len(rows) < 2:
        raise InputError("dataset.sources.count", len(rows), "one party has nobody to compare with", "use 10 or more")
    return Parties(source, rows, np.array([train.clean[members].mean() for members in rows]))
