"""The law a1/k + a2/k^2 from mean contributions: what an M-estimator has, and what a row needs whose sign changes with k."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.valuation.contributions.samples import CardinalityMeans
from assay.valuation.laws.laws import Predicted

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TwoTermLaws:
    """Laws psi_k = coefficients [n, 2] @ (reference/k, (reference/k)^2), with the coefficients' covariance [n, 2, 2]."""

    coefficients: Floats
    covariance: Floats
    reference: float

    def parameters(self) -> Mapping[str, Floats]:
        """c and alpha of the power law that touches psi at the reference; NaN for their errors and for the spread."""
        first, second = self.coefficients.T
        level = first + second
        safe = np.where(level == 0, np.nan, level)
        alpha = (first + 2 * second) / safe
        nothing = np.full(len(level), np.nan)
        tangent = {"c": level * self.reference**alpha, "alpha": alpha, "sigma": nothing, "beta": nothing}
        return tangent | {f"{name}_std_error": nothing for name in ("c", "alpha", "sigma", "beta")}

    def at(self, cardinalities: Integers) -> Predicted:
        """The mean contribution to k rows [n, K]."""
        return self._predicted(_terms(cardinalities, self.reference))

    def over(self, smallest: int, largest: int) -> Predicted:
        """The mean over k = smallest..largest [n]."""
        terms = _terms(np.arange(smallest, largest + 1), self.reference).mean(axis=0, keepdims=True)
        predicted = self._predicted(terms)
        return Predicted(predicted.mean[:, 0], predicted.std_error[:, 0])

    def _predicted(self, terms: Floats) -> Predicted:
        variance = np.einsum("kp,npq,kq->nk", terms, self.covariance, terms)
        return Predicted(self.coefficients @ terms.T, np.sqrt(np.maximum(variance, 0.0)))


def fit_two_term(means: CardinalityMeans) -> TwoTermLaws:
    """Weighted least squares of mean contributions with weights 1/SE^2 [ours]; ValueError below two cardinalities.

    The covariance carries the sampling error of the means, not the law's misfit.
    """
    if len(means.cardinalities) < 2:
        raise ValueError("two coefficients need means at two cardinalities")
    reference = float(np.exp(np.log(means.cardinalities).mean()))
    terms = _terms(means.cardinalities, reference)
    least = 1e-9 * np.abs(means.mean).max() + 1e-300  # a mean without noise must not have infinite weight
    weight = 1 / np.maximum(means.std_error, least) ** 2
    inner = np.einsum("kp,nk,kq->npq", terms, weight, terms)
    covariance = np.linalg.inv(inner)
    coefficients = np.einsum("npq,nq->np", covariance, (weight * means.mean) @ terms)
    return TwoTermLaws(coefficients, covariance, reference)


def _terms(cardinalities: Integers, reference: float) -> Floats:
    inverse = reference / np.asarray(cardinalities, dtype=np.float64)
    return np.stack([inverse, inverse**2], axis=1)
