"""Sampled marginal contributions, and their means at each cardinality."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Contributions:
    """Marginal contributions delta [n, m] of n points, sample j of point i to a subset of `cardinality` [n, m] rows.

    `density` [n, m] is proportional to the probability with which that cardinality was drawn (ones: uniform); a mean over
    uniform cardinalities weights a sample by its inverse. `shared` says that sample j is the same subset for all points,
    whose errors are then correlated. `fits` counts fitted models, `fallbacks` those of them that a solver had to refit
    whole because its quick step was not good enough.
    """

    cardinality: Integers
    delta: Floats
    density: Floats
    shared: bool
    fits: int = 0
    fallbacks: int = 0

    def __post_init__(self) -> None:
        if not self.cardinality.shape == self.delta.shape == self.density.shape:
            shapes = self.cardinality.shape, self.delta.shape, self.density.shape
            raise ValueError(f"cardinality, delta and density must have one shape, found {shapes}")

    @property
    def points(self) -> int:
        """Number of points, n."""
        return int(self.delta.shape[0])

    @property
    def samples(self) -> int:
        """Number of samples of each point, m."""
        return int(self.delta.shape[1])

    def first(self, samples: int) -> Contributions:
        """The first samples of each point."""
        return self._with(lambda each: each[:, :samples])

    def of_points(self, rows: Integers) -> Contributions:
        """The samples of some points."""
        return self._with(lambda each: each[rows])

    def chosen(self, columns: Integers) -> Contributions:
        """Some samples of each point: `columns` [n, m'] are their positions; subsets then count as the point's own."""
        return replace(self._with(lambda each: np.take_along_axis(each, columns, axis=1)), shared=False)

    def _with(self, pick: Callable[[NDArray[Any]], NDArray[Any]]) -> Contributions:
        return replace(self, cardinality=pick(self.cardinality), delta=pick(self.delta), density=pick(self.density))


@dataclass(frozen=True, eq=False)
class CardinalityMeans:
    """Mean contributions psi_k of n points at K cardinalities, with standard errors, both [n, K].

    `variance` [n, K] is that of a single contribution; `samples` the number of subsets behind each mean.
    """

    cardinalities: Integers
    mean: Floats
    std_error: Floats
    variance: Floats
    samples: int
    fits: int = 0
    fallbacks: int = 0


def cardinality_means(contributions: Contributions) -> CardinalityMeans:
    """Means at each cardinality of samples that all points have at the same cardinalities; ValueError otherwise."""
    first = contributions.cardinality[0]
    if not (contributions.cardinality == first).all():
        raise ValueError("the points were sampled at different cardinalities")
    sizes, counts = np.unique(first, return_counts=True)
    if len(set(counts.tolist())) != 1 or counts[0] < 2:
        raise ValueError(f"every cardinality needs the same number of samples, 2 or more; found {counts.tolist()}")
    by_size = [contributions.delta[:, first == size] for size in sizes]
    mean = np.stack([each.mean(axis=1) for each in by_size], axis=1)
    variance = np.stack([each.var(axis=1, ddof=1) for each in by_size], axis=1)
    samples = int(counts[0])
    std_error = np.sqrt(variance / samples)
    return CardinalityMeans(sizes, mean, std_error, variance, samples, contributions.fits, contributions.fallbacks)


def stacked(parts: Sequence[Contributions]) -> Contributions:
    """The points of several settings one below the other; all have the same number of samples."""
    return Contributions(
        np.concatenate([part.cardinality for part in parts]),
        np.concatenate([part.delta for part in parts]),
        np.concatenate([part.density for part in parts]),
        parts[0].shared,
        sum(part.fits for part in parts),
        sum(part.fallbacks for part in parts),
    )


def merged(parts: Sequence[CardinalityMeans]) -> CardinalityMeans:
    """Means over the subsets of several parts of equal size, at the same cardinalities."""
    share = 1 / len(parts)
    return CardinalityMeans(
        parts[0].cardinalities,
        np.sum([part.mean for part in parts], axis=0) * share,
        np.sqrt(np.sum([part.std_error**2 for part in parts], axis=0)) * share,
        np.sum([part.variance for part in parts], axis=0) * share,
        sum(part.samples for part in parts),
        sum(part.fits for part in parts),
        sum(part.fallbacks for part in parts),
    )
