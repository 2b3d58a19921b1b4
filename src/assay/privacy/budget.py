"""What may be spent, and the noise that spends exactly that."""

from __future__ import annotations

from dataclasses import dataclass

from assay.privacy.gaussian import mu_of
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
