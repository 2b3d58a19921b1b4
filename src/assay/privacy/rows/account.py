"""The account of releases that concern one row each: private values."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.errors import InputError
from assay.privacy.accounting.gaussian import epsilon_of
from assay.privacy.budget import Budget
from assay.privacy.ledger import OverspentError
from assay.privacy.relations import Numbers, Relation, Sensitivity


class RowRelease(NamedTuple):
    """One Gaussian release of rows [replicates], one row in each replicate; noise in clipping norms, for all or for each."""

    rows: NDArray[np.int64]
    noise_multiplier: Numbers


class RowAccount:
    """Counts Gaussian releases per row, exactly.

    Rows are disjoint data, so each has an account of its own (parallel composition) and the epsilon is that of the row most
    spent on. ``replicates`` are simulated repetitions of the whole mechanism, each with the full budget; who publishes
    several of them spends several budgets. Raises InputError under add-remove: a release that bears a row's name shows
    that the row is there.

    Guarantee: after any sequence of accepted charges, every row's releases together are (epsilon, delta)-DP.
    """

    def __init__(
        self, budget: Budget, sensitivity: Sensitivity, rows: int, replicates: int = 1, noun: str = "row"
    ) -> None:
        if budget.relation is Relation.ADD_REMOVE:
            limit = f"a release of a {noun} shows that the {noun} is there"
            raise InputError("privacy.relation", budget.relation, limit, "use privacy.relation=zero_out or replace_one")
        self.budget, self.sensitivity, self._noun = budget, sensitivity, noun
        self._limit = budget.mu**2
        self._spent = np.zeros((replicates, rows))
        self._touches = np.zeros((replicates, rows), dtype=np.int64)
        self._lanes = np.arange(replicates)

    @property
    def touches(self) -> NDArray[np.int64]:
        """Releases made so far [replicates, rows], counted one by one."""
        return self._touches.copy()

    def charge(self, release: RowRelease) -> None:
        """Counts one release; raises OverspentError, with nothing counted, when any row would exceed the budget."""
        rows, noise_multiplier = release
        spent = self._spent[self._lanes, rows] + self.sensitivity.release_mu(noise_multiplier) ** 2
        if not spent.max(initial=0.0) <= self._limit:  # so that a charge that is no number is refused too
            row = int(rows[int(spent.argmax())])
            total = float(spent.max())
            reached = epsilon_of(total**0.5, self.budget.delta) if total == total else total
            raise OverspentError(
                f"privacy.epsilon={self.budget.epsilon:g}: a further release of {self._noun} {row} would reach "
                f"{reached:.6g}; it was not made (plan fewer evaluations or a larger budget)"
            )
        self._spent[self._lanes, rows] = spent
        self._touches[self._lanes, rows] += 1

    def epsilon(self) -> float:
        """Epsilon spent at the budget's delta by the row most spent on."""
        return epsilon_of(float(self._spent.max(initial=0.0)) ** 0.5, self.budget.delta)

    def delta(self) -> float:
        """The budget's delta."""
        return self.budget.delta

    def totals(self) -> dict[str, Any]:
        """Releases made in all, and of the row most spent on."""
        return {"releases": int(self._touches.sum()), f"most_per_{self._noun}": int(self._touches.max(initial=0))}

    def state_dict(self) -> dict[str, Any]:
        """The counts of every row."""
        return {"spent": self._spent.tolist(), "touches": self._touches.tolist()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes the counts of an earlier account; raises ValueError for a table of another shape."""
        spent, touches = np.array(state["spent"]), np.array(state["touches"], dtype=np.int64)
        if spent.shape != self._spent.shape:
            raise ValueError(f"an account of shape {spent.shape} cannot go on as {self._spent.shape}")
        self._spent, self._touches = spent, touches
