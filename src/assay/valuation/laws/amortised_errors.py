"""Errors of predicted laws at points that the networks never saw, beyond those of sampling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.valuation.laws.amortised_training import Member

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

HALVINGS = 80
LARGEST = 1e6


@dataclass(frozen=True, eq=False)
class Observed:
    """Mean contribution at the reference by a point's own samples: estimate and variance [n]."""

    estimate: Floats
    variance: Floats


def observe(delta: Floats, log_size: Floats, laws: Floats) -> Observed:
    """Weighted least squares of delta [n, m] on k^-alpha, with alpha, spread and beta as predicted in laws [n, 4].

    `log_size` [n, m] is the logarithm of cardinality over reference; laws are level, alpha, spread and beta there.
    """
    _, alpha, spread, beta = (each[:, None] for each in laws.T)
    shape, weight = np.exp(-alpha * log_size), np.exp(beta * log_size) / spread**2
    information = (weight * shape**2).sum(axis=1)
    return Observed((weight * shape * delta).sum(axis=1) / information, 1 / information)


def unseen_laws(members: Sequence[Member], each: Floats) -> tuple[Integers, Floats]:
    """Positions of the points that some network never saw, and the mean of those networks' laws; `each` is [E, n, 4]."""
    weight = np.zeros(each.shape[:2])
    for row, member in zip(weight, members, strict=True):
        row[member.unseen] = 1.0
    unseen = np.flatnonzero(weight.sum(axis=0))
    weight = weight[:, unseen, None]
    return unseen, (weight * each[:, unseen]).sum(axis=0) / weight.sum(axis=0)


def excess(error: Floats, sampling: Floats, spread: Floats) -> float:
    """The factor f with which the mean of error^2 / (sampling + f spread) is 1; 0 when sampling explains the errors.

    `sampling` and `spread` are variances. [derived: moment estimate, by bisection on the logarithm]
    """
    used = spread > 0
    if not used.any():
        return 0.0

    def surplus(factor: float) -> float:
        return float((error[used] ** 2 / (sampling[used] + factor * spread[used])).mean()) - 1

    if surplus(0.0) <= 0:
        return 0.0
    low, high = -np.log(LARGEST), np.log(LARGEST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if surplus(float(np.exp(middle))) > 0 else (low, middle)
    return float(np.exp(high))
