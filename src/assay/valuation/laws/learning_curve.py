"""The law of a whole data set's error, and the size that reaches a wanted error."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.valuation.laws.laws import Predicted

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ALPHAS = np.geomspace(0.05, 7.4, 120)


@dataclass(frozen=True, eq=False)
class AggregateLaw:
    """error(k) = floor + (k/reference)^-alpha * level, with the covariance [3, 3] of (floor, level, alpha).

    A floor at 0 is held there: its row and column are zero.
    """

    floor: float
    level: float
    alpha: float
    reference: float
    covariance: Floats

    @property
    def c(self) -> float:
        """The paper's c: level at k = 1."""
        return float(self.level * self.reference**self.alpha)

    def at(self, cardinalities: Integers) -> Predicted:
        """Mean error of models of k rows, [K], with standard errors by the delta method."""
        logs = np.log(np.asarray(cardinalities, dtype=np.float64) / self.reference)
        power = np.exp(-self.alpha * logs)
        slopes = np.stack([np.ones_like(power), power, -self.level * logs * power])
        variance = np.einsum("ik,ij,jk->k", slopes, self.covariance, slopes)
        return Predicted(self.floor + self.level * power, np.sqrt(np.maximum(variance, 0.0)))

    def size_for(self, error: float) -> Predicted:
        """The number of rows with that mean error and its standard error; infinite at the floor or below."""
        if error <= self.floor or self.level <= 0:
            return Predicted(np.array(math.inf), np.array(math.nan))
        ratio = self.level / (error - self.floor)
        size = self.reference * ratio ** (1 / self.alpha)
        per = np.array([1 / (error - self.floor), 1 / self.level, -math.log(ratio) / self.alpha]) * size / self.alpha
        return Predicted(np.array(size), np.array(math.sqrt(max(0.0, per @ self.covariance @ per))))


def fit_aggregate(cardinalities: Integers, errors: Floats, std_errors: Floats) -> AggregateLaw:
    """Weighted least squares of mean errors [K] on floor + c k^-alpha, floor in [0, least error), weights 1/std_error^2.

    Source: Covert et al. 2024, their code. ValueError with fewer than 4 cardinalities, or with a standard error that is not
    positive. Standard errors are widened where the law does not fit (chi-square above its degrees of freedom).
    """
    sizes = np.asarray(cardinalities, dtype=np.float64)
    if len(np.unique(sizes)) < 4:
        raise ValueError(f"three parameters need 4 cardinalities or more, found {len(np.unique(sizes))}")
    if not (np.asarray(std_errors) > 0).all():
        raise ValueError("standard errors must be positive")
    reference = float(np.exp(np.log(sizes).mean()))
    logs, weight = np.log(sizes / reference), 1 / np.asarray(std_errors, dtype=np.float64) ** 2
    ceiling = float(errors.min()) * (1 - 1e-9)

    def given(alpha: float) -> tuple[float, float, float]:
        """Loss, floor and level at one alpha; a floor out of its range goes to the nearer end."""
        power = np.exp(-alpha * logs)
        design = np.stack([np.ones_like(power), power], axis=1) * np.sqrt(weight)[:, None]
        floor = float(np.linalg.lstsq(design, errors * np.sqrt(weight), rcond=None)[0][0])
        floor = min(max(floor, 0.0), max(ceiling, 0.0))
        level = float((weight * power) @ (errors - floor) / ((weight * power) @ power))
        return float(weight @ (errors - floor - level * power) ** 2), floor, level

    from scipy.optimize import minimize_scalar

    best = int(np.argmin([given(each)[0] for each in ALPHAS]))
    ends = ALPHAS[max(best - 1, 0)], ALPHAS[min(best + 1, len(ALPHAS) - 1)]
    alpha = float(minimize_scalar(lambda x: given(x)[0], bounds=ends, method="bounded", options={"xatol": 1e-9}).x)
    loss, floor, level = given(alpha)
    power = np.exp(-alpha * logs)
    slopes = np.stack([np.ones_like(power), power, -level * logs * power])
    free = np.array([0.0 < floor < ceiling, True, True])
    normal = ((slopes * weight) @ slopes.T)[np.ix_(free, free)]
    covariance = np.zeros((3, 3))
    widened = max(1.0, loss / (len(sizes) - int(free.sum())))
    covariance[np.ix_(free, free)] = np.linalg.pinv(normal) * widened
    return AggregateLaw(floor, level, alpha, reference, covariance)
