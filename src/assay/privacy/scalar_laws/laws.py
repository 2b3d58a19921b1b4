"""Laws by which one bounded number of each row is released; all are unbiased for it.

A law takes x in [-1, 1] and standard normal draws, so that it runs on any source of noise. Under zero-out neighbours the
other table has no record in the row's place, and the law then publishes a draw of `absent`, which depends on no data.
Outputs are rounded to a public grid, since the last bits of floating-point noise betray what it hides (Mironov 2012);
rounding is post-processing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from assay.privacy.accounting.gaussian import epsilon_of
from assay.privacy.budget import Budget
from assay.privacy.relations import Relation

GRID = 2.0**-20
"""Of the outputs, in units of the clip."""

LARGEST_GAP = 30.0
"""From here on a plateau is as good as certain, and narrower than the grid; a larger budget is not spent."""


@dataclass(frozen=True)
class Cost:
    """What one release costs each row: mu of Gaussian DP for the Gaussian law (epsilon 0), else a pure epsilon (mu 0)."""

    epsilon: float
    mu: float


class ScalarLaw(Protocol):
    """An unbiased release of x [...] in [-1, 1]."""

    @property
    def name(self) -> str:
        """As in `LAWS`."""
        ...

    @property
    def cost(self) -> Cost:
        """Of one release."""
        ...

    def release(self, x: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """Estimates of x from two sets of standard normal draws of its shape."""
        ...

    def absent(self, first: Tensor, second: Tensor) -> Tensor:
        """What is published in the place of rows that are not there."""
        ...

    def variance(self, x: Tensor) -> Tensor:
        """Variance of the estimate of each x."""
        ...

    @property
    def half_width(self) -> float:
        """95 % of the outputs or more lie within this of x, whatever x: half of a confidence interval."""
        ...

    def log_density(self, y: Tensor, x: float | None) -> Tensor:
        """Log density (log probability for discrete laws) of the output y given x, or given no record."""
        ...

    def changed_record_epsilon(self, delta: float) -> float:
        """Epsilon at which the release protects a record that is changed into any other, whatever the budget's relation."""
        ...


def _uniform(normal: Tensor) -> Tensor:
    uniform: Tensor = torch.special.ndtr(normal.double())
    return uniform


def _on_grid(y: Tensor) -> Tensor:
    return (y / GRID).round() * GRID


@dataclass(frozen=True)
class GaussianLaw:
    """x plus Gaussian noise: mu-GDP with deviation s / mu, s = 1 under zero-out and 2 under replace-one."""

    mu: float
    relation: Relation
    name: str = "gaussian"

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
        return _on_grid(x + self.deviation * first)

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


@dataclass(frozen=True)
class LaplaceLaw:
    """x plus Laplace noise of scale s / epsilon: (epsilon, 0)-DP (Dwork et al. 2006)."""

    epsilon: float
    relation: Relation
    name: str = "laplace"

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
        return _on_grid(x + self.scale * (exponentials[0] - exponentials[1]))

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


@dataclass(frozen=True)
class RandomizedResponse:
    """+1 or -1 over 2b, with P(+1) = 1/2 + b x (Warner 1965; Duchi et al. 2013).

    b = (e^eps - 1) / (2 (e^eps + 1)) under replace-one; (1 - e^-eps) / 2 under zero-out, against a fair coin for no record.
    """

    epsilon: float
    relation: Relation
    name: str = "randomized_response"

    @property
    def cost(self) -> Cost:
        """Pure epsilon."""
        return Cost(self.epsilon, 0.0)

    @property
    def lean(self) -> float:
        """b: half the distance between the chances of +1 at x = 1 and at x = 0 in parts of one, kept below by 1e-9."""
        if self.relation is Relation.REPLACE_ONE:
            return math.tanh(self.epsilon / 2) / 2 * (1 - 1e-9)
        return -math.expm1(-self.epsilon) / 2 * (1 - 1e-9)

    def release(self, x: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """One biased coin."""
        heads = _uniform(first) < 0.5 + self.lean * x
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
        place = _uniform(second)
        rest = place * (2 * self.reach - width) - self.reach
        rest = torch.where(rest < left, rest, rest + width)
        inside = _uniform(first) < self._root / (self._root + 1)
        return _on_grid(torch.where(inside, left + place * width, rest))

    def absent(self, first: Tensor, second: Tensor) -> Tensor:
        """Uniform on [-C, C] under zero-out; under replace-one, where no row is ever absent, as 0 is released."""
        if self.relation is Relation.REPLACE_ONE:
            return self.release(torch.zeros_like(first), first, second)
        return _on_grid((2 * _uniform(first) - 1) * self.reach)

    def variance(self, x: Tensor) -> Tensor:
        """x^2 / (e^(g/2) - 1) + (e^(g/2) + 3) / (3 (e^(g/2) - 1)^2)."""
        return x**2 / (self._root - 1) + (self._root + 3) / (3 * (self._root - 1) ** 2)

    @property
    def half_width(self) -> float:
        """The plateau's reach, and beyond it as much of the rest as 95 % need at x = 1, which is the worst. [derived]"""
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


LAWS = ("gaussian", "laplace", "randomized_response", "piecewise")


def law_of(name: str, budget: Budget) -> ScalarLaw:
    """The law that spends the whole budget on one release; ValueError for an unknown name or for add-remove.

    Guarantee: the release of each row is (epsilon, delta)-DP under the budget's relation, with delta = 0 for all but the
    Gaussian law. Under zero-out at epsilon a changed record is protected at up to 2 epsilon only (`changed_record_epsilon`).
    """
    if budget.relation is Relation.ADD_REMOVE:
        raise ValueError("a release of a row shows that the row is there: use zero_out or replace_one")
    if name == "gaussian":
        return GaussianLaw(budget.mu, budget.relation)
    pure: dict[str, Callable[[float, Relation], ScalarLaw]]
    pure = {"laplace": LaplaceLaw, "randomized_response": RandomizedResponse, "piecewise": PiecewiseLaw}
    if name not in pure:
        raise ValueError(f"law={name}: must be one of {', '.join(LAWS)}")
    return pure[name](budget.epsilon, budget.relation)
