"""Means of contributions from many cheap solutions and the differences that a few exact ones make: unbiased, and cheap."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from assay.errors import InputError
from assay.valuation.contributions.samples import CardinalityMeans
from assay.valuation.contributions.solver import Solver

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SMALL_CARDINALITY = 150


def raised_share(share: float, cardinality: int) -> float:
    """Share of a cardinality's subsets solved exactly: 2.5 times as many on few rows, where the closed form is worse."""
    return min(1.0, 2.5 * share) if cardinality < SMALL_CARDINALITY else share


def default_share(cardinality: int) -> float:
    """A tenth of the subsets, and a quarter on few rows."""
    return raised_share(0.1, cardinality)


def two_level_means(
    cheap: Solver,
    exact: Solver,
    subsets: Mapping[int, Sequence[Integers]],
    generator: np.random.Generator,
    share: Callable[[int], float] = default_share,
) -> CardinalityMeans:
    """Means over all subsets of the cheap solution plus the mean over a random few of what the exact one differs by.

    `subsets` holds as many, 2 or more, for each cardinality; which of them are solved exactly is drawn from `generator`, at
    least 2 of each and `share(cardinality)` of them. Unbiased for the mean of exact contributions whatever the cheap ones
    are; the cheap solver decides the variance alone. ValueError for unequal numbers; InputError for a share outside (0, 1].

    The standard error takes both parts, which have subsets in common: with e exact and d = e - cheap, m subsets and a of
    them exact, the variance is Var(e) / m + Var(d) (1/a - 1/m). [derived] It is itself an estimate from a subsets, too small
    where few differences are large and none was drawn.
    """
    counts = {len(each) for each in subsets.values()}
    if len(counts) != 1 or min(counts) < 2:
        raise ValueError(f"every cardinality needs the same number of subsets, 2 or more; found {sorted(counts)}")
    means = []
    for cardinality in sorted(subsets):
        asked = share(cardinality)
        if not 0 < asked <= 1:
            raise InputError("valuation.exact_share", asked, "must be above 0 and at most 1", "e.g. 0.1")
        means.append(_means(cheap, exact, subsets[cardinality], asked, generator))
    return CardinalityMeans(
        np.array(sorted(subsets)),
        np.hstack([each.mean for each in means]),
        np.hstack([each.std_error for each in means]),
        np.hstack([each.variance for each in means]),
        counts.pop(),
        sum(each.fits for each in means),
        sum(each.fallbacks for each in means),
    )


def _means(
    cheap: Solver, exact: Solver, subsets: Sequence[Integers], share: float, generator: np.random.Generator
) -> CardinalityMeans:
    """The same at one cardinality."""
    total = len(subsets)
    size = np.array([len(subsets[0])])
    few = min(total, max(2, math.ceil(share * total)))
    chosen = np.sort(generator.choice(total, few, replace=False))
    slow = exact.shared([subsets[place] for place in chosen])
    if few == total:
        variance = slow.delta.var(axis=1, ddof=1)
        parts = slow.delta.mean(axis=1), np.sqrt(variance / total), variance
        return _column(size, parts, total, slow.fits, slow.fallbacks)
    quick = cheap.shared(subsets)
    parts = combined(quick.delta, slow.delta, chosen)
    fits, fallbacks = quick.fits + slow.fits, quick.fallbacks + slow.fallbacks
    return _column(size, parts, total, fits, fallbacks)


def combined(quick: Floats, slow: Floats, chosen: Integers) -> tuple[Floats, Floats, Floats]:
    """Mean, its standard error and the variance of one contribution, each [n].

    `quick` [n, m] are cheap contributions to all subsets, `slow` [n, a] exact ones to the subsets at places `chosen` [a].
    """
    total, few = quick.shape[1], slow.shape[1]
    difference = slow - quick[:, chosen]
    spread = difference.var(axis=1, ddof=1)
    together = _covariance(quick[:, chosen], difference)
    variance = np.maximum(quick.var(axis=1, ddof=1) + 2 * together + spread, 0.0)
    error = np.sqrt(variance / total + spread * (1 / few - 1 / total))
    return quick.mean(axis=1) + difference.mean(axis=1), error, variance


def _column(
    size: Integers, parts: tuple[Floats, Floats, Floats], samples: int, fits: int, fallbacks: int
) -> CardinalityMeans:
    mean, error, variance = (each[:, None] for each in parts)
    return CardinalityMeans(size, mean, error, variance, samples, fits, fallbacks)


def _covariance(left: Floats, right: Floats) -> Floats:
    centred = (left - left.mean(axis=1, keepdims=True)) * (right - right.mean(axis=1, keepdims=True))
    return np.asarray(centred.sum(axis=1) / (left.shape[1] - 1))
