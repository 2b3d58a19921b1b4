"""Means of weighted marginal contributions, row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


class MarginalSums:
    """Accumulates marginal contributions of rows met in the order of permutations.

    ``weights`` is the semivalue's weight of each position in a permutation (default ones: Shapley); ``burn_in`` rounds
    at the start are left out. A permutation may hold some of the rows only: the others' values are NaN. Rounds come in
    groups of `group` dependent ones (2: pairs of antithetic permutations), and groups are independent.
    """

    def __init__(
        self, rows: int, replicates: int = 1, burn_in: int = 0, weights: Matrix | None = None, group: int = 1
    ) -> None:
        self._weights = np.ones(rows) if weights is None else weights
        self._burn_in, self._group = burn_in, group
        self._lanes = np.arange(replicates)[:, None]
        self._sum, self._square, self._cross, self._open = (np.zeros((replicates, rows)) for _ in range(4))
        self._count = np.zeros((replicates, rows), dtype=np.int64)
        self._sizes: list[int] = []  # rounds of each whole group
        self._open_size = 0

    def add(self, number: int, order: NDArray[np.int64], marginals: Matrix) -> None:
        """Adds round `number` (from 1): marginals [R, n] in the order of the rows order [R, n]."""
        if number <= self._burn_in:
            return
        weighted = marginals * self._weights
        self._sum[self._lanes, order] += weighted
        self._count[self._lanes, order] += 1
        self._open[self._lanes, order] += weighted
        self._open_size += 1
        if number % self._group == 0:
            self._square, self._cross = self._with_open_group()
            self._sizes.append(self._open_size)
            self._open, self._open_size = np.zeros_like(self._open), 0

    def _with_open_group(self) -> tuple[Matrix, Matrix]:
        return self._square + self._open**2, self._cross + self._open_size * self._open

    @property
    def evaluations(self) -> NDArray[np.int64]:
        """Marginal contributions recorded [R, n]."""
        return self._count.copy()

    def values(self) -> Matrix:
        """Mean weighted marginal contribution [R, n]."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self._sum / self._count)

    @property
    def independent(self) -> int:
        """Groups of rounds recorded: what the standard errors have one more of than degrees of freedom."""
        return len(self._sizes) + (self._open_size > 0)

    def std_errors(self) -> Matrix:
        """Standard error of the values [R, n] when groups of rounds are independent; NaN below two groups.

        Rounds are independent without noise and with independent noise. Under reuse of releases they are not, and this is
        too small. In groups it is the error of a ratio, ``sqrt(G/(G-1) sum_g (s_g - c_g mean)^2) / N`` with s_g the sum over
        the c_g rounds of group g and N rounds in G groups, so that a group cut by the burn-in counts for what it holds
        (Cochran 1977, Sampling Techniques, section 9A: clusters of unequal size).
        """
        count, groups = self._count.astype(np.float64), self.independent
        square, cross = self._with_open_group()
        sizes = np.array([*self._sizes, self._open_size], dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = self._sum / count
            fitted = self._sum**2 / count if self._group == 1 else 2 * mean * cross - mean**2 * (sizes**2).sum()
            variance = (square - fitted).clip(min=0) / (groups - 1)
            return np.where(groups > 1, np.sqrt(variance / (count**2 / groups)), np.nan)

    def state_dict(self) -> dict[str, Any]:
        """Sums, squares and counts, as tensors."""
        import torch

        sizes = np.array([*self._sizes, self._open_size])
        return {name: torch.from_numpy(array.copy()) for name, array in [*self._arrays().items(), ("sizes", sizes)]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes the sums of an interrupted estimate."""
        for name in self._arrays():
            setattr(self, f"_{name}", state[name].numpy().copy())
        *self._sizes, self._open_size = state["sizes"].tolist()

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {name: getattr(self, f"_{name}") for name in ("sum", "square", "cross", "open", "count")}
