"""Randomised response on the two ends of a number's range."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from assay.privacy.budget import Budget
from assay.privacy.relations import Relation
from assay.privacy.scalar_laws.law import Cost, uniform


@dataclass(frozen=True)
class RandomizedResponse:
    """+1 or -1 over 2b, with P(+1) = 1/2 + b x (Warner 1965; Duchi et al. 2013).

    b = (e^eps - 1) / (2 (e^eps + 1)) under replace-one; (1 - e^-eps) / 2 under zero-out, against a fair coin for no record.
    """

    epsilon: float
    relation: Relation
    name: str = "randomized_response"

    @classmethod
    def spending(cls, budget: Budget) -> RandomizedResponse:
        """The law whose one release spends the whole budget."""
        return cls(budget.epsilon, budget.relation)

    @property
    def cost(self) -> Cost:
        """Pure epsilon."""
        return Cost(self.epsilon, 0.0)

    @property
    def lean(self) -> float:
        """b: half the distance between the chances of +1 at x = 1 and at x = 0 in parts of one, lowered by 1e-9."""
        if self.relation is Relation.REPLACE_ONE:
            return math.tanh(self.epsilon / 2) / 2 * (1 - 1e-9)
        return -math.expm1(-self.epsilon) / 2 * (1 - 1e-9)

    def release(self, x: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """One biased coin."""
        heads = uniform(first) < 0.5 + self.lean * x
        return torch.where(heads, 1.0, -1.0).to(x.dtype) / (2 * self.lean)

    def absent(self, first: Tensor, second: Tensor) -> Tensor:
        """As 0 is released."""
        return self.release(torch.zeros_like(first), first, second)

    def variance(self, x: Tensor) -> Tensor:
        """1 / (4 b^2) - x^2."""
        return 1 / (4 * self.lean**2) - x**2

    @property
    def half_width(self) -> float:
        """The distance of the rarer side of the coin, for every x at which its chance is above 5 %."""
        return min(0.5 / self.lean + 1, 0.95 / self.lean)

    def log_density(self, y: Tensor, x: float | None) -> Tensor:
        """Log probability of the side of the coin that y stands for."""
        return torch.log(0.5 + torch.sign(y) * self.lean * (x or 0.0))

    def changed_record_epsilon(self, delta: float) -> float:
        """Log ratio of the coin's chances at x = 1 and x = -1."""
        return math.log((0.5 + self.lean) / (0.5 - self.lean))
