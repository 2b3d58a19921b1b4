"""Gaussian noise on a number."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from assay.privacy.accounting.gaussian import epsilon_of
from assay.privacy.budget import Budget
from assay.privacy.relations import Relation
from assay.privacy.scalar_laws.law import GRID, Cost, on_grid


@dataclass(frozen=True)
class GaussianLaw:
    """x plus Gaussian noise: mu-GDP with deviation s / mu, s = 1 under zero-out and 2 under replace-one."""

    mu: float
    relation: Relation
    name: str = "gaussian"

    @classmethod
    def spending(cls, budget: Budget) -> GaussianLaw:
        """The law whose one release spends the whole budget."""
        return cls(budget.mu, budget.relation)

    @property
    def cost(self) -> Cost:
        """mu-GDP, exactly."""
        return Cost(0.0, self.mu)

    @property
    def deviation(self) -> float:
        """Of the noise, in units of the clip; the margin keeps rounding below the budget."""
        return self.relation.factor / self.mu * (1 + 1e-9)

    def release(self, x: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """x + deviation * first."""
        return on_grid(x + self.deviation * first)

    def absent(self, first: Tensor, second: Tensor) -> Tensor:
        """As 0 is released."""
        return self.release(torch.zeros_like(first), first, second)

    def variance(self, x: Tensor) -> Tensor:
        """The same for every x."""
        return torch.full_like(x, self.deviation**2)

    @property
    def half_width(self) -> float:
        """The 97.5 % quantile of the noise."""
        return 1.959964 * self.deviation + GRID

    def log_density(self, y: Tensor, x: float | None) -> Tensor:
        """Normal about x, about 0 without a record."""
        return -0.5 * ((y - (x or 0.0)) / self.deviation) ** 2 - math.log(self.deviation * math.sqrt(2 * math.pi))

    def changed_record_epsilon(self, delta: float) -> float:
        """That of mu-GDP for twice the clip."""
        return epsilon_of(2 / self.deviation, delta)
