"""Cardinalities and subsets of the pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assay.errors import InputError
from assay.runs.streams import Streams

Density = Literal["uniform", "log_uniform"]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Cardinalities:
    """Sizes of random subsets in rows: from `smallest` to `largest`, both included.

    `density` is uniform (the paper's code), or log_uniform: k with probability proportional to 1/k, which halves the
    variance of a mean over uniform k that is reweighted [measured].
    """

    smallest: int = 100
    largest: int = 999
    density: Density = "uniform"

    def __post_init__(self) -> None:
        if not 1 <= self.smallest <= self.largest:
            limit = f"must be from 1 to largest={self.largest}"
            raise InputError("valuation.smallest", self.smallest, limit, "e.g. smallest=100 and largest=999")

    def weights(self, sizes: Integers) -> Floats:
        """Density of each size, up to a factor."""
        return np.ones(sizes.shape) if self.density == "uniform" else 1.0 / sizes

    def draw(self, count: int, generator: np.random.Generator) -> Integers:
        """Independent cardinalities, stratified: one from each of `count` parts of equal probability, in random order."""
        sizes = np.arange(self.smallest, self.largest + 1)
        cumulated = np.cumsum(self.weights(sizes))
        places = (np.arange(count) + generator.random(count)) / count * cumulated[-1]
        drawn: Integers = sizes[np.searchsorted(cumulated, places, side="right").clip(max=len(sizes) - 1)]
        return np.asarray(generator.permutation(drawn))

    def grid(self, count: int) -> Integers:
        """Cardinalities at equal steps on the logarithmic scale, as the paper's code rounds them: down."""
        spaced = np.geomspace(self.smallest, self.largest + 1, count)
        return np.unique(np.floor(spaced + 1e-9).astype(np.int64))


@dataclass(frozen=True, eq=False)
class SubsetSampler:
    """Subsets of the pool without replacement; of classification in the proportions of its classes.

    `labels` [N] are the classes of the pool's rows (None: plain). Subset number j of a purpose depends on the seed, the
    purpose and j alone.
    """

    rows: int
    labels: Integers | None
    streams: Streams
    purpose: str

    def subset(self, number: int, size: int) -> Integers:
        """Positions [size] in the pool, class by class; InputError when the pool is too small."""
        if size > self.rows:
            limit = f"cannot be drawn from a pool of {self.rows} rows"
            raise InputError("valuation.largest", size, limit, "lower it, or raise dataset.split.train")
        generator = self.streams.generator(self.purpose, "subset", number)
        if self.labels is None:
            return np.asarray(generator.choice(self.rows, size, replace=False))
        members = [np.flatnonzero(self.labels == label) for label in np.unique(self.labels)]
        counts = proportional(np.array([len(each) for each in members]), size, generator)
        drawn = [generator.choice(each, count, replace=False) for each, count in zip(members, counts, strict=True)]
        return np.concatenate(drawn)


def proportional(sizes: Integers, total: int, generator: np.random.Generator) -> Integers:
    """Whole numbers in proportion to `sizes` that sum to `total`: rounded down, the rest drawn by what was cut off.

    Every class has one at the least where `total` allows it, since a model of fewer classes is another model.
    """
    exact = total * sizes / sizes.sum()
    counts: Integers = np.floor(exact).astype(np.int64)
    fewest = 1 if total >= len(sizes) else 0
    counts = counts.clip(min=fewest)
    while counts.sum() > total:
        over = np.where(counts > fewest, counts - exact, -np.inf)
        counts[int(np.argmax(over))] -= 1
    left = total - int(counts.sum())
    if left:
        cut = np.maximum(exact - counts, 0) + 1e-12
        counts[generator.choice(len(sizes), left, replace=False, p=cut / cut.sum())] += 1
    return np.asarray(counts)
