"""Estimates of values, repeated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.runs.cost import Cost


@dataclass(frozen=True, eq=False)
class Estimates:
    """Values of all replicates [R, n] with their releases and cost.

    touches [R, n] counts the private releases of each row (zeros without privacy); epsilon is recomputed from them (0
    without privacy); noise_multiplier is that of a row's first release; entries is the ledger's record, which has them all.
    `by_burn_in` [B, R, n] are the values under other burn-ins from the same rounds; extras are further
    results by name.
    """

    ids: NDArray[np.int64]
    values: NDArray[np.float64]
    std_errors: NDArray[np.float64]
    evaluations: NDArray[np.int64]
    touches: NDArray[np.int64]
    epsilon: float
    noise_multiplier: float
    entries: list[dict[str, Any]]
    utility_evaluations: int
    cost: Cost
    by_burn_in: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0, 0)))
    extras: dict[str, NDArray[np.float64]] = field(default_factory=dict)
