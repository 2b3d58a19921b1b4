"""No law: means of sampled contributions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.valuation.contributions.samples import Contributions
from assay.valuation.laws.laws import Predicted

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SampleMeans:
    """Means of each point's samples: they stand for the cardinalities that were sampled, and for nothing else."""

    samples: Contributions

    def parameters(self) -> Mapping[str, Floats]:
        """NaN, as there is no law."""
        names = ("c", "alpha", "sigma", "beta")
        absent = np.full(self.samples.points, np.nan)
        return {name: absent for each in names for name in (each, f"{each}_std_error")}

    def at(self, cardinalities: Integers) -> Predicted:
        """The mean of the samples with exactly k rows [n, K]; NaN where a point has none, no error where it has one."""
        mean = np.full((self.samples.points, len(cardinalities)), np.nan)
        error = mean.copy()
        for column, size in enumerate(cardinalities):
            of_size = self.samples.cardinality == size
            mean[:, column], error[:, column] = _weighted(self.samples.delta, of_size.astype(np.float64))
        return Predicted(mean, error, self._freedom)

    def over(self, smallest: int, largest: int) -> Predicted:
        """The mean over samples of smallest..largest rows [n], each weighted by its inverse density.

        Right only when the samples were drawn from that whole range.
        """
        inside = (self.samples.cardinality >= smallest) & (self.samples.cardinality <= largest)
        return Predicted(*_weighted(self.samples.delta, inside / self.samples.density), self._freedom)

    @property
    def _freedom(self) -> float:
        return max(1.0, self.samples.samples - 1.0)


@dataclass(frozen=True)
class MonteCarlo:
    """Distributional Shapley as the plain mean of the samples, the paper's baseline."""

    def fit(
        self, samples: Contributions, covariates: Floats | None = None, generator: np.random.Generator | None = None
    ) -> SampleMeans:
        """Nothing is fitted; covariates and generator are not read."""
        return SampleMeans(samples)


def _weighted(delta: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Weighted mean [n] and its standard error [n], of a ratio of sums."""
    total, count = weight.sum(axis=1), (weight > 0).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (weight * delta).sum(axis=1) / total
        squared = (weight**2 * (delta - mean[:, None]) ** 2).sum(axis=1) / total**2
        error = np.sqrt(squared * count / (count - 1.0))
    error[count < 2] = np.nan
    return mean, error
