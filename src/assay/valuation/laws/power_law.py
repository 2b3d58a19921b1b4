"""The paper's law of a point: c / k^alpha, with noise sigma^2 / k^beta."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.valuation.laws.laws import Predicted

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CELLS = 4_000_000  # of one block of [points, cardinalities]


@dataclass(frozen=True, eq=False)
class PowerLaws:
    """Laws of n points: mean `level` (k/reference)^-alpha, standard deviation `spread` (k/reference)^(-beta/2), each [n].

    Stated at a cardinality among the sampled ones, where level and alpha are nearly uncorrelated; `parameters` gives the
    paper's c and sigma. `covariance` [n, 4, 4] is that of (level, alpha, spread, beta); NaN where it cannot be had.
    `freedom` is that of the standard errors; `r_squared` [n] of the straight line in logarithms where one was fitted.
    """

    level: Floats
    alpha: Floats
    spread: Floats
    beta: Floats
    reference: Floats
    covariance: Floats
    freedom: float = math.inf
    r_squared: Floats | None = None

    def parameters(self) -> Mapping[str, Floats]:
        """c, alpha, sigma, beta and their standard errors by the delta method, each [n]."""
        log = np.log(self.reference)
        with np.errstate(over="ignore"):
            c = self.level * np.exp(self.alpha * log)
            sigma = self.spread * np.exp(self.beta / 2 * log)
        variance = self.covariance
        with np.errstate(invalid="ignore", over="ignore"):
            lifted = np.exp(self.alpha * log) * np.sqrt(_form(variance, 0, 1, self.level * log))
            widened = np.exp(self.beta / 2 * log) * np.sqrt(_form(variance, 2, 3, self.spread * log / 2))
            bent, thinned = np.sqrt(variance[:, 1, 1]), np.sqrt(variance[:, 3, 3])
        return {
            "c": c,
            "alpha": self.alpha,
            "sigma": sigma,
            "beta": self.beta,
            "c_std_error": lifted,
            "alpha_std_error": bent,
            "sigma_std_error": widened,
            "beta_std_error": thinned,
        }

    def at(self, cardinalities: Integers) -> Predicted:
        """The mean contribution to k rows [n, K], with standard errors by the delta method."""
        log = np.log(np.asarray(cardinalities, dtype=np.float64) / self.reference[:, None])
        shape = np.exp(-self.alpha[:, None] * log)
        return self._predicted(shape, log * shape)

    def over(self, smallest: int, largest: int) -> Predicted:
        """The mean over all whole k from smallest to largest [n], with standard errors by the delta method."""
        shape, weighted = mean_powers(self.alpha, self.reference, smallest, largest)
        return self._predicted(shape, weighted)

    def _predicted(self, shape: Floats, weighted: Floats) -> Predicted:
        """From k^-alpha and log k times k^-alpha, the derivatives up to the level."""
        level = self.level if shape.ndim == 1 else self.level[:, None]
        by_level, by_alpha = shape, -level * weighted
        first, cross, last = (
            self.covariance[:, i, j] if shape.ndim == 1 else self.covariance[:, i, j, None]
            for i, j in ((0, 0), (0, 1), (1, 1))
        )
        variance = by_level**2 * first + 2 * by_level * by_alpha * cross + by_alpha**2 * last
        with np.errstate(invalid="ignore"):
            return Predicted(level * shape, np.sqrt(variance), self.freedom)


def mean_powers(alpha: Floats, reference: Floats, smallest: int, largest: int) -> tuple[Floats, Floats]:
    """Means of x^-alpha and of x^-alpha log x over x = k/reference, k = smallest..largest, each [n]."""
    log = np.log(np.arange(smallest, largest + 1, dtype=np.float64))
    means, weighted = np.empty(len(alpha)), np.empty(len(alpha))
    block = max(1, CELLS // len(log))
    for start in range(0, len(alpha), block):
        part = slice(start, start + block)
        shifted = log - np.log(reference[part])[:, None]
        powers = np.exp(-alpha[part, None] * shifted)
        means[part] = powers.mean(axis=1)
        weighted[part] = (powers * shifted).mean(axis=1)
    return means, weighted


def _form(covariance: Floats, first: int, second: int, slope: Floats) -> Floats:
    """Variance of x + slope y of two parameters."""
    cross = covariance[:, first, second]
    return covariance[:, first, first] + 2 * slope * cross + slope**2 * covariance[:, second, second]
