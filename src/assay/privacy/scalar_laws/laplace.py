"""Laplace noise on a number."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from assay.privacy.budget import Budget
from assay.privacy.relations import Relation
from assay.privacy.scalar_laws.law import GRID, Cost, on_grid


@dataclass(frozen=True)
class LaplaceLaw:
    """x plus Laplace noise of scale s / epsilon: (epsilon, 0)-DP (Dwork et al. 2006)."""

    epsilon: float
    relation: Relation
    name: str = "laplace"

    @classmethod
    def spending(cls, budget: Budget) -> LaplaceLaw:
        """The law whose one release spends the whole budget."""
        return cls(budget.epsilon, budget.relation)

    @property
    def cost(self) -> Cost:
        """Pure epsilon."""
        return Cost(self.epsilon, 0.0)

    @property
    def scale(self) -> float:
        """Of the noise, in units of the clip."""
        return self.relation.factor / self.epsilon * (1 + 1e-9)

    def release(self, x: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """The difference of two exponentials is Laplace."""
        exponentials = [-torch.special.log_ndtr(normal.double()) for normal in (first, second)]
        return on_grid(x + self.scale * (exponentials[0] - exponentials[1]))

    def absent(self, first: Tensor, second: Tensor) -> Tensor:
        """As 0 is released."""
        return self.release(torch.zeros_like(first), first, second)

    def variance(self, x: Tensor) -> Tensor:
        """The same for every x."""
        return torch.full_like(x, 2 * self.scale**2)

    @property
    def half_width(self) -> float:
        """scale * ln 20."""
        return self.scale * math.log(20) + GRID

    def log_density(self, y: Tensor, x: float | None) -> Tensor:
        """Laplace about x, about 0 without a record."""
        return -(y - (x or 0.0)).abs() / self.scale - math.log(2 * self.scale)

    def changed_record_epsilon(self, delta: float) -> float:
        """Twice the clip over the scale."""
        return 2 / self.scale
