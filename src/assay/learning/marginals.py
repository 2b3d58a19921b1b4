"""Means of weighted marginal contributions, row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


class MarginalSums:
    """Accumulates marginal contributions of rows met in the order of permutations.

    ``weights`` is the semivalue's weight of each position in a permutation (default ones: Shapley); ``burn_in`` rounds
    at the start are left out. A permutation may hold some of the rows only: the others' values are NaN.
    """

    def __init__(self, rows: int, replicates: int = 1, burn_in: int = 0, weights: Matrix | None = None) -> None:
        self._weights = np.ones(rows) if weights is None else weights
        self._burn_in = burn_in
        self._lanes = np.arange(replicates)[:, None]
        self._sum = np.zeros((replicates, rows))
        self._square = np.zeros((replicates, rows))
        self._count = np.zeros((replicates, rows), dtype=np.int64)

    def add(self, number: int, order: NDArray[np.int64], marginals: Matrix) -> None:
        """Adds round `number` (from 1): marginals [R, n] in the order of the rows order [R, n]."""
        if number <= self._burn_in:
            return
        weighted = marginals * self._weights
        self._sum[self._lanes, order] += weighted
        self._square[self._lanes, order] += weighted**2
        self._count[self._lanes, order] += 1

    @property
    def evaluations(self) -> NDArray[np.int64]:
        """Marginal contributions recorded [R, n]."""
        return self._count.copy()

    def values(self) -> Matrix:
        """Mean weighted marginal contribution [R, n]."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self._sum / self._count)

    def std_errors(self) -> Matrix:
        """Standard error of the values [R, n] when rounds are independent; NaN below two rounds.

        Rounds are independent without noise and with independent noise. Under reuse of releases they are not, and this is
        too small.
        """
        count = self._count.astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = (self._square - self._sum**2 / count).clip(min=0) / (count - 1)
            return np.where(count > 1, np.sqrt(variance / count), np.nan)

    def state_dict(self) -> dict[str, Any]:
        """Sums, squares and counts, as tensors."""
        import torch

        arrays = {"sum": self._sum, "square": self._square, "count": self._count}
        return {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes what an interrupted estimate had accumulated."""
        self._sum, self._square, self._count = (state[name].numpy().copy() for name in ("sum", "square", "count"))
