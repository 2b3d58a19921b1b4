"""What an estimate of values starts from, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from assay.data import Arrays
from assay.learning.modules.permutation_pass import Rows
from assay.runs.cost import Cost
from assay.valuation.valuator import Problem, Run

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, eq=False)
class Subtables:
    """What each replicate values in place of the whole train split.

    `rows` [R, m] are the positions of its rows; `vanished` [R] is the position of the row whose gradient is zero in it, as in
    the zero-out neighbour of its table, or -1.
    """

    rows: NDArray[np.int64]
    vanished: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Estimates:
    """Values of all replicates [R, n] and how they were come by.

    touches [R, n] counts the private releases of each row (zeros without privacy); epsilon is recomputed from them (0
    without privacy); noise_multiplier is that of a row's first release; entries is the ledger's record, which has them all.
    `by_burn_in` [B, R, n] are the values under other burn-ins from the same rounds; extras holds what else an estimator
    finds, by name.
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


class Estimator(Protocol):
    """Values all replicates at once, for a number of evaluations that may be changed."""

    def with_budget(self, evaluations: int, replicates: int) -> Estimator:
        """The same for another number of evaluations and replicates."""
        ...

    def value(
        self,
        problem: Problem,
        run: Run,
        *,
        purpose: str = "values",
        checkpoint: Path | None = None,
    ) -> Estimates:
        """Values once for each replicate; `purpose` names the random streams, `checkpoint` the file to resume from."""
        ...


def rows_of(split: Arrays, dtype: torch.dtype) -> Rows:
    """Features and target of a split as tensors."""
    return Rows(torch.tensor(split.features, dtype=dtype), torch.tensor(split.target, dtype=dtype))
