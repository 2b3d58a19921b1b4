"""Laws from means at a few cardinalities: the paper's line in logarithms, and our weighted least squares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assay.valuation.contributions.samples import CardinalityMeans, Contributions, cardinality_means
from assay.valuation.laws.power_law import PowerLaws

Floats = NDArray[np.float64]

TINY = 1e-12  # the paper's code adds it before it takes logarithms
ALPHAS = np.linspace(0.02, 7.4, 124)
REFINED = 40  # golden sections
Weighting = Literal["log_linear", "weighted_power"]


@dataclass(frozen=True)
class LogLinear:
    """Laws c / k^alpha from mean contributions on a grid of cardinalities, which are those of all points.

    log_linear: ordinary least squares of log10(|mean|+1e-12) on -log10 k gives alpha, then c by regression through the
    origin of the contributions on k^-alpha; r_squared is that of the line. Source: Covert et al. 2024, their code.
    weighted_power [ours]: c and alpha by least squares of the means themselves with weights 1/SE^2, which does not break
    where the mean changes sign; r_squared is the weighted one about zero. Standard errors carry the sampling error of the means,
    not the law's misfit.
    """

    name: Weighting = "log_linear"

    def fit(
        self, samples: Contributions, covariates: Floats | None = None, generator: np.random.Generator | None = None
    ) -> PowerLaws:
        """Laws from samples that all points have at the same cardinalities; ValueError otherwise."""
        return self.fit_means(cardinality_means(samples))

    def fit_means(self, means: CardinalityMeans) -> PowerLaws:
        """Laws from means at three cardinalities or more; ValueError with fewer."""
        if len(means.cardinalities) < 3:
            raise ValueError(f"two parameters and their fit need 3 cardinalities, found {len(means.cardinalities)}")
        logs = np.log(means.cardinalities.astype(np.float64))
        centre = logs.mean()
        logs = logs - centre
        alpha, level, first, r_squared = (_line if self.name == "log_linear" else _weighted)(means, logs)
        covariance = np.full((len(alpha), 4, 4), np.nan)
        # Means at different cardinalities are of different subsets: their errors are independent.
        covariance[:, :2, :2] = np.einsum("nik,nk,njk->nij", first, means.std_error**2, first)
        spread, beta, noise = _noise(means, logs)
        covariance[:, 2:, 2:] = noise
        return PowerLaws(level, alpha, spread, beta, np.full(len(alpha), np.exp(centre)), covariance, np.inf, r_squared)


def _line(means: CardinalityMeans, logs: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Alpha, level, their derivatives by the means [n, 2, K] (level first), and R^2 of the line."""
    mean = means.mean
    height = np.log10(np.abs(mean) + TINY)
    run = -logs / np.log(10)
    share = run / (run @ run)
    alpha = height @ share
    centred = height - height.mean(axis=1, keepdims=True)
    total = (centred**2).sum(axis=1)
    residual = ((centred - alpha[:, None] * run) ** 2).sum(axis=1)
    r_squared = np.where(total > 0, 1 - residual / np.where(total > 0, total, 1.0), np.nan)
    power = np.exp(-alpha[:, None] * logs)
    energy = (power**2).sum(axis=1)
    level = (mean * power).sum(axis=1) / energy
    by_alpha = ((2 * level[:, None] * power - mean) * power * logs).sum(axis=1) / energy
    alpha_by_mean = share * np.sign(mean) / ((np.abs(mean) + TINY) * np.log(10))
    level_by_mean = power / energy[:, None] + by_alpha[:, None] * alpha_by_mean
    return alpha, level, np.stack([level_by_mean, alpha_by_mean], axis=1), r_squared


def _weighted(means: CardinalityMeans, logs: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """As `_line`, by weighted least squares of the means on level k^-alpha."""
    error = np.where(means.std_error > 0, means.std_error, np.inf)
    least = error.min(axis=1, keepdims=True)
    weight = (np.where(np.isfinite(least), least, 1.0) / error) ** 2  # a mean without an error tells nothing
    mean = means.mean

    def explained(alpha: Floats) -> Floats:
        power = np.exp(-alpha[:, None] * logs)
        down = (weight * power**2).sum(axis=1)
        return np.asarray((weight * power * mean).sum(axis=1) ** 2 / np.where(down > 0, down, 1.0))

    grid = np.stack([explained(np.full(len(mean), each)) for each in ALPHAS])
    best = grid.argmax(axis=0)
    low, high = ALPHAS[np.maximum(best - 1, 0)], ALPHAS[np.minimum(best + 1, len(ALPHAS) - 1)]
    golden = (np.sqrt(5) - 1) / 2
    for _ in range(REFINED):
        left, right = high - golden * (high - low), low + golden * (high - low)
        falls = explained(left) >= explained(right)
        low, high = np.where(falls, low, left), np.where(falls, right, high)
    alpha = (low + high) / 2
    power = np.exp(-alpha[:, None] * logs)
    down = (weight * power**2).sum(axis=1)
    level = (weight * power * mean).sum(axis=1) / np.where(down > 0, down, 1.0)
    slopes = np.stack([power, -level[:, None] * power * logs], axis=1)
    normal = np.einsum("nik,nk,njk->nij", slopes, weight, slopes)
    sound = np.linalg.det(normal) > 1e-12 * normal[:, 0, 0] * normal[:, 1, 1]
    inverse = np.full_like(normal, np.nan)
    inverse[sound] = np.linalg.inv(normal[sound])
    first = np.einsum("nij,njk,nk->nik", inverse, slopes, weight)
    total = (weight * mean**2).sum(axis=1)
    residual = (weight * (mean - level[:, None] * power) ** 2).sum(axis=1)
    r_squared = np.where(total > 0, 1 - residual / np.where(total > 0, total, 1.0), np.nan)
    return alpha, level, first, r_squared


def _noise(means: CardinalityMeans, logs: Floats) -> tuple[Floats, Floats, Floats]:
    """Spread, beta and their covariance [n, 2, 2], from a line through the logarithms of the variances."""
    points = np.isfinite(means.variance) & (means.variance > 0)
    height = np.log(np.where(points, means.variance, 1.0))
    usable = points.all(axis=1)
    intercept, slope = height.mean(axis=1), height @ logs / (logs @ logs)
    residual = height - intercept[:, None] - slope[:, None] * logs
    scatter = (residual**2).sum(axis=1) / (len(logs) - 2)
    spread = np.where(usable, np.exp(intercept / 2), np.nan)
    covariance = np.zeros((len(spread), 2, 2))
    covariance[:, 0, 0] = scatter / len(logs) * spread**2 / 4
    covariance[:, 1, 1] = scatter / (logs @ logs)
    covariance[~usable] = np.nan
    return spread, np.where(usable, -slope, np.nan), covariance
