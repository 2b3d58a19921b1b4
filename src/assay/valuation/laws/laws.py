"""The interface of fitted laws, whatever their form, and of their estimators."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assay.valuation.contributions.samples import Contributions

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Predicted:
    """Predicted contributions with standard errors, of one shape; NaN where no error is known."""

    mean: Floats
    std_error: Floats
    freedom: float = math.inf

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Lower and upper bounds by Student's t with `freedom` degrees of freedom."""
        from scipy import stats

        half = float(stats.t.ppf(0.5 + level / 2, max(self.freedom, 1.0))) * self.std_error
        return self.mean - half, self.mean + half


class Laws(Protocol):
    """The laws of n points."""

    def parameters(self) -> Mapping[str, Floats]:
        """c, alpha, sigma, beta and their standard errors `<name>_std_error`, each [n]; NaN for what the law does not have."""
        ...

    def at(self, cardinalities: Integers) -> Predicted:
        """The mean contribution to k rows, for every k given: [n, K]."""
        ...

    def over(self, smallest: int, largest: int) -> Predicted:
        """Distributional Shapley [n]: the mean contribution over cardinalities smallest..largest, each counted once."""
        ...


class LawEstimator(Protocol):
    """Fits the laws of all points at once from samples of their contributions."""

    def fit(
        self, samples: Contributions, covariates: Floats | None = None, generator: np.random.Generator | None = None
    ) -> Laws:
        """The laws of the points from `samples`; `covariates` [n, q] are what is known of each point from one fitted model.

        `generator` serves estimators that draw (bootstrap, network initialisation); others ignore it.
        """
        ...
