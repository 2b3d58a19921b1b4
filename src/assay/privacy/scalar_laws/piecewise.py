"""The piecewise law: a plateau about the number, and a lower level elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from assay.privacy.budget import Budget
from assay.privacy.relations import Relation
from assay.privacy.scalar_laws.law import GRID, Cost, on_grid, uniform

LARGEST_GAP = 30.0
"""From here on a plateau is as good as certain, and narrower than the grid; a larger budget is not spent."""


@dataclass(frozen=True)
class PiecewiseLaw:
    """Uniform with a high plateau about x, on [-C, C] (Wang et al. 2019, "Collecting and analyzing multidimensional data with
    local differential privacy", Algorithm 2).

    The plateau is e^g times as high as the rest, with g = epsilon under replace-one. Under zero-out g = 2 epsilon, and no
    record publishes a uniform draw from [-C, C]: the plateau lies exactly e^epsilon above the uniform density and the rest
    e^epsilon below, since the plateau is 1 / (e^epsilon + 1) of the interval. [derived] Nothing is lost to a centre that no
    row needs, which is why this law is far ahead of the others under zero-out.
    """

    epsilon: float
    relation: Relation
    name: str = "piecewise"

    @classmethod
    def spending(cls, budget: Budget) -> PiecewiseLaw:
        """The law whose one release spends the whole budget."""
        return cls(budget.epsilon, budget.relation)

    @property
    def cost(self) -> Cost:
        """Pure epsilon."""
        return Cost(self.epsilon, 0.0)

    @property
    def _root(self) -> float:
        gap = self.epsilon if self.relation is Relation.REPLACE_ONE else 2 * self.epsilon
        return math.exp(min(gap / 2 * (1 - 1e-9), LARGEST_GAP))

    @property
    def reach(self) -> float:
        """C: the largest output."""
        return (self._root + 1) / (self._root - 1)

    def _plateau(self, x: Tensor) -> tuple[Tensor, float]:
        left = (self.reach + 1) / 2 * x - (self.reach - 1) / 2
        return left, self.reach - 1

    def release(self, x: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """On the plateau with chance e^(g/2) / (e^(g/2) + 1), else uniform on the rest."""
        left, width = self._plateau(x)
        place = uniform(second)
        rest = place * (2 * self.reach - width) - self.reach
        rest = torch.where(rest < left, rest, rest + width)
        inside = uniform(first) < self._root / (self._root + 1)
        return on_grid(torch.where(inside, left + place * width, rest))

    def absent(self, first: Tensor, second: Tensor) -> Tensor:
        """Uniform on [-C, C] under zero-out; under replace-one, where no row is ever absent, as 0 is released."""
        if self.relation is Relation.REPLACE_ONE:
            return self.release(torch.zeros_like(first), first, second)
        return on_grid((2 * uniform(first) - 1) * self.reach)

    def variance(self, x: Tensor) -> Tensor:
        """x^2 / (e^(g/2) - 1) + (e^(g/2) + 3) / (3 (e^(g/2) - 1)^2)."""
        return x**2 / (self._root - 1) + (self._root + 3) / (3 * (self._root - 1) ** 2)

    @property
    def half_width(self) -> float:
        """The plateau's reach, and beyond it as much of the rest as 95 % need at x = 1, which is the worst."""
        beyond = (1 + self.reach) * (1 - 0.05 * (self._root + 1))
        return max(self.reach - 1, beyond) + GRID

    def log_density(self, y: Tensor, x: float | None) -> Tensor:
        """Two levels; one without a record."""
        if x is None:
            return torch.full_like(y, -math.log(2 * self.reach))
        left, width = self._plateau(torch.as_tensor(x, dtype=y.dtype))
        high = self._root / (self._root + 1) / width
        low = 1 / (self._root + 1) / (2 * self.reach - width)
        inside = ((y >= left) & (y <= left + width)).to(y.dtype)
        return inside * math.log(high) + (1 - inside) * math.log(low)

    def changed_record_epsilon(self, delta: float) -> float:
        """Log ratio of the plateau and the rest."""
        return 2 * math.log(self._root)
