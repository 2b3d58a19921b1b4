"""Budgets, and the noise that spends them exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.privacy.accounting.gaussian import mu_of
from assay.privacy.relations import Relation, Sensitivity

# Sums of squared mus, taken release by release, stay below the budget for up to a million releases in spite of rounding.
ROUNDING_MARGIN = 1 + 1e-9


@dataclass(frozen=True)
class Budget:
    """An (epsilon, delta) guarantee for each row under a neighbouring relation."""

    epsilon: float
    delta: float
    relation: Relation = Relation.ZERO_OUT

    @property
    def mu(self) -> float:
        """The Gaussian-DP parameter that the budget allows in all."""
        return mu_of(self.epsilon, self.delta)

    def noise_multiplier(self, releases: int, sensitivity: Sensitivity) -> float:
        """Deviation of the noise, in clipping norms, for which `releases` Gaussian releases spend the budget.

        ``sigma^2 = s^2 * releases / mu^2`` with s the relation's factor: the releases of one row compose adaptively, those of
        other rows are disjoint data. Guarantee: the composition is (epsilon, delta)-DP, never above.
        Source: 2412.17008 as reconstructed, by exact composition of Gaussian mechanisms (Dong, Roth & Su 2019, Corollary 2).
        """
        if releases < 1:
            raise ValueError(f"releases={releases}: must be >= 1 (a mechanism that releases nothing needs no noise)")
        if sensitivity.relation is not self.relation:
            raise ValueError(
                f"sensitivity is for {sensitivity.relation}, the budget for {self.relation}: they must agree"
            )
        return float(self.relation.factor * releases**0.5 / self.mu) * ROUNDING_MARGIN

    def noise_multipliers(self, shares: NDArray[np.float64], sensitivity: Sensitivity) -> NDArray[np.float64]:
        """Deviations of the noise, in clipping norms, for releases of a row that spend given shares of the squared mu.

        ``sigma_t = s / (mu sqrt(share_t))``, so that ``sum_t (s / sigma_t)^2 = mu^2``. Raises ValueError unless shares [k]
        are positive and sum to 1 at most. Guarantee and source: as for `noise_multiplier`, the composition of k unequal
        Gaussian mechanisms being exact too.
        """
        if not (shares > 0).all() or not shares.sum() <= ROUNDING_MARGIN:
            raise ValueError(f"shares={shares.tolist()}: must be > 0 and sum to 1 at most")
        return self.noise_multiplier(1, sensitivity) / np.sqrt(shares)
