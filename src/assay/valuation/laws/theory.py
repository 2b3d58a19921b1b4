"""Contributions to least squares in theory: for a design, for fresh Gaussian designs, and in the limit.

A point z = (x, y) joins k rows X with y = x'b* + noise of variance s2 and features of identity covariance; utility is minus
the population's excess squared error; e = y - x'b* is the point's own error. No intercept, no penalty.
Source: Covert, Ji, Hashimoto & Zou 2024, Theorem 1.1 (the limit); the rest [derived].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal

from assay.errors import InputError
from assay.runs.streams import Streams
from assay.valuation.contributions.samples import CardinalityMeans
from assay.valuation.contributions.setting import Labelled

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

EXPONENT = 2.0  # alpha of every point's law
NODES = 64  # of the quadrature over a chi-square variable; the integrand is smooth and 20 are enough
_BLOCK = 2**21  # numbers in an array of a block of subsets


class LinearPopulation(Protocol):
    """Gaussian rows of identity covariance, with y = x'coefficients + noise: `noise` is a standard deviation."""

    @property
    def coefficients(self) -> Floats:
        """True coefficients [d]."""
        ...

    @property
    def noise(self) -> float:
        """Standard deviation of the target about its mean."""
        ...


def expected_contribution(point: Floats, error: float, design: Floats, covariance: Floats, variance: float) -> float:
    """Mean contribution of a point [d] of a given error over the targets of a given design [k, d].

    x'A^-1 Sigma A^-1 x / (1 + h)^2 * (s2 (2 + h) - e^2), with A = X'X and h = x'A^-1 x [derived].
    """
    moved = np.linalg.solve(design.T @ design, point)
    leverage = point @ moved
    gain = variance * (2 + leverage) - error**2
    return float(moved @ covariance @ moved / (1 + leverage) ** 2 * gain)


def law_coefficient(points: Labelled, population: LinearPopulation) -> Floats:
    """c(z) [n] of the limit psi_k = c / k^2: |x|^2 (2 s2 - e^2); a point harms when its error exceeds sqrt(2) s."""
    error = _errors(points, population)
    return np.asarray((points.features**2).sum(axis=1) * (2 * population.noise**2 - error**2))


def exact_contributions(points: Labelled, population: LinearPopulation, cardinalities: Integers) -> Floats:
    """psi_k(z) [n, K] over fresh Gaussian designs and targets, without any sampling; InputError for k < d + 2.

    By rotation only |x|^2 matters. Of A ~ Wishart(k, I) the first diagonal entry of A^-1 is a = 1 / chi2(k - d + 1), and
    that of A^-2 is a^2 (1 + |B|^2) with E|B|^2 = (d - 1) / (k - d), B independent of a [derived]; what is left is one
    integral over a chi-square variable, here by Gauss quadrature.
    """
    dimension = points.features.shape[1]
    _check_cardinalities(cardinalities, dimension)
    error, square = _errors(points, population)[:, None], (points.features**2).sum(axis=1)[:, None]
    means = np.empty((len(points), len(cardinalities)))
    for place, size in enumerate(cardinalities.tolist()):
        nodes, weights = chi_square_rule(size - dimension + 1)
        leverage = square / nodes
        gain = population.noise**2 * (2 + leverage) - error**2
        spread = 1 + (dimension - 1) / (size - dimension)
        means[:, place] = (square * spread / nodes**2 * gain / (1 + leverage) ** 2) @ weights
    return means


def chi_square_rule(degrees: int, count: int = NODES) -> tuple[Floats, Floats]:
    """Nodes and weights [count] with sum weights f(nodes) = E f(chi2 with these degrees of freedom): Golub & Welsch 1969."""
    shape = degrees / 2 - 1
    steps = np.arange(count)
    across = np.sqrt(steps[1:] * (steps[1:] + shape))
    nodes, vectors = eigh_tridiagonal(2 * steps + shape + 1, across)
    return 2 * nodes, vectors[0] ** 2


@dataclass(frozen=True, eq=False)
class GaussianFits:
    """Least squares on S fresh designs: `factor` [S, d, d] is lower with X'X = LL', `deviation` [S, d] is b - b*."""

    factor: Floats
    deviation: Floats


def fresh_fits(dimension: int, rows: int, noise: float, subsets: int, generator: np.random.Generator) -> GaussianFits:
    """Fits on fresh Gaussian rows, without the rows: Bartlett's factor of the Wishart matrix, and b - b* ~ N(0, s2 A^-1)."""
    factor = np.tril(generator.standard_normal((subsets, dimension, dimension)), -1)
    diagonal = np.sqrt(generator.chisquare(rows - np.arange(dimension), (subsets, dimension)))
    factor[:, np.arange(dimension), np.arange(dimension)] = diagonal
    drawn = noise * generator.standard_normal((subsets, dimension, 1))
    deviation = np.linalg.solve(factor.transpose(0, 2, 1), drawn)[..., 0]
    return GaussianFits(factor, np.asarray(deviation, dtype=np.float64))


def fresh_contributions(
    points: Labelled,
    population: LinearPopulation,
    cardinalities: Integers,
    subsets: int,
    streams: Streams,
    *,
    exact_over_noise: bool = False,
) -> CardinalityMeans:
    """Mean contributions over fresh Gaussian subsets, each shared by all points, judged by the population's excess risk.

    With `exact_over_noise` the targets of the subsets are integrated out in closed form (`expected_contribution`), which
    leaves the mean what it is and the chance of the designs alone. InputError for k < d + 2 and for fewer than 2 subsets.
    """
    dimension = points.features.shape[1]
    _check_cardinalities(cardinalities, dimension)
    if subsets < 2:
        raise InputError("task.samples", subsets, "a standard error needs 2 or more", "e.g. 1000")
    error = _errors(points, population)
    moments = np.empty((3, len(points), len(cardinalities)))
    block = max(1, _BLOCK // (dimension * max(len(points), dimension)))
    for place, size in enumerate(cardinalities.tolist()):
        generator = streams.generator("fresh subsets", size)
        parts = []
        for start in range(0, subsets, block):
            fits = fresh_fits(dimension, size, population.noise, min(block, subsets - start), generator)
            variance = population.noise**2 if exact_over_noise else None
            parts.append(_contributions(fits, points.features, error, variance))
        delta = np.concatenate(parts)
        spread = delta.var(axis=0, ddof=1)
        moments[:, :, place] = delta.mean(axis=0), np.sqrt(spread / subsets), spread
    mean, std_error, variance_of_one = moments
    return CardinalityMeans(cardinalities, mean, std_error, variance_of_one, subsets, fits=subsets * len(cardinalities))


def _contributions(fits: GaussianFits, features: Floats, error: Floats, variance: float | None) -> Floats:
    """Contributions [S, n] of points to fits, or with a noise variance their means over the fits' targets."""
    whitened = np.linalg.solve(fits.factor, features.T[None])
    moved = np.linalg.solve(fits.factor.transpose(0, 2, 1), whitened)
    leverage = (whitened**2).sum(axis=1)
    length = (moved**2).sum(axis=1)
    if variance is not None:
        return np.asarray(length / (1 + leverage) ** 2 * (variance * (2 + leverage) - error**2))
    step = (error - fits.deviation @ features.T) / (1 + leverage)
    slope = (fits.deviation[:, None, :] @ moved)[:, 0]
    return np.asarray(-step * (2 * slope + step * length))


def _errors(points: Labelled, population: LinearPopulation) -> Floats:
    return np.asarray(points.target - points.features @ population.coefficients)


def _check_cardinalities(cardinalities: Integers, dimension: int) -> None:
    if cardinalities.min() < dimension + 2:
        limit = f"{dimension} features have no mean contribution below {dimension + 2} rows"
        raise InputError("task.cardinalities", int(cardinalities.min()), limit, "raise it")
