"""Starting points and results that estimators of values along gradients share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from assay.data import Arrays
from assay.learning.modules.permutation_pass import Rows
from assay.valuation.estimates import Estimates
from assay.valuation.valuator import Valuation
from assay.valuation.values import Values


@dataclass(frozen=True, eq=False)
class Subtables:
    """The table that each replicate values in place of the whole train split.

    `rows` [R, m] are the positions of its rows; `vanished` [R] is the position of the row whose gradient is zero in it, as in
    the zero-out neighbour of its table, or -1.
    """

    rows: NDArray[np.int64]
    vanished: NDArray[np.int64]


def single_valuation(estimates: Estimates, std_errors: NDArray[np.float64], freedom: float = math.inf) -> Valuation:
    """The first replicate as values [n] with given standard errors [n]."""
    values = Values(estimates.ids, estimates.values[0], std_errors, estimates.evaluations[0], freedom)
    epsilon = estimates.epsilon if estimates.entries else math.inf
    return Valuation(values, epsilon, estimates.utility_evaluations, ledger=estimates.entries)


def rows_of(split: Arrays, dtype: torch.dtype) -> Rows:
    """Features and target of a split as tensors."""
    return Rows(torch.tensor(split.features, dtype=dtype), torch.tensor(split.target, dtype=dtype))
