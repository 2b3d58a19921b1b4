"""Scalar laws: an unbiased release of one bounded number of a row.

A law takes x in [-1, 1] and standard normal draws, so that it runs on any source of noise. Under zero-out neighbours the
other table has no record in the row's place, and the law then publishes a draw of `absent`, which depends on no data.
Outputs are rounded to a public grid, since the last bits of floating-point noise reveal its input (Mironov 2012);
rounding is post-processing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

GRID = 2.0**-20
"""Of the outputs, in units of the clip."""


@dataclass(frozen=True)
class Cost:
    """Cost of one release for each row: mu of Gaussian DP for the Gaussian law (epsilon 0), else a pure epsilon (mu 0)."""

    epsilon: float
    mu: float


class ScalarLaw(Protocol):
    """An unbiased release of x [...] in [-1, 1]."""

    @property
    def name(self) -> str:
        """A key of `LAWS`."""
        ...

    @property
    def cost(self) -> Cost:
        """Of one release."""
        ...

    def release(self, x: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """Estimates of x from two sets of standard normal draws of its shape."""
        ...

    def absent(self, first: Tensor, second: Tensor) -> Tensor:
        """Numbers published in the place of rows that are not there."""
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


def uniform(normal: Tensor) -> Tensor:
    """Uniform numbers on (0, 1) from standard normal ones, in double precision."""
    drawn: Tensor = torch.special.ndtr(normal.double())
    return drawn


def on_grid(y: Tensor) -> Tensor:
    """The nearest points of the public grid."""
    return (y / GRID).round() * GRID
