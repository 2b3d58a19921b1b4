"""The record of what has been released about whom."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import AssayError
from assay.privacy.budget import Budget
from assay.privacy.gaussian import epsilon_of
from assay.privacy.relations import Sensitivity


class OverspentError(AssayError):
    """A release would have exceeded the budget, and was not made."""


class Ledger:
    """Counts Gaussian releases per row and refuses the one that would exceed the budget, before it is made.

    Rows are disjoint data, so each has an account of its own (parallel composition) and the ledger's epsilon is that of
    the row most spent on. ``replicates`` are simulated repetitions of the whole mechanism, each with the full budget; who
    publishes several of them spends several budgets.

    Guarantee: after any sequence of accepted charges, every row's releases together are (epsilon, delta)-DP.
    """

    def __init__(self, budget: Budget, sensitivity: Sensitivity, rows: int, replicates: int = 1) -> None:
        if sensitivity.relation is not budget.relation:
            raise ValueError(f"sensitivity is for {sensitivity.relation}, the budget for {budget.relation}")
        self.budget, self.sensitivity = budget, sensitivity
        self._limit = budget.mu**2
        self._spent = np.zeros((replicates, rows))
        self._touches = np.zeros((replicates, rows), dtype=np.int64)
        self._lanes = np.arange(replicates)
        self._entries: list[dict[str, Any]] = []

    @property
    def touches(self) -> NDArray[np.int64]:
        """Releases made so far [replicates, rows], counted one by one."""
        return self._touches.copy()

    def charge(self, rows: NDArray[np.int64], noise_multiplier: float) -> None:
        """Enters one release for rows [replicates], one row in each replicate.

        Raises OverspentError, with nothing entered, when any of them would exceed the budget.
        """
        spent = self._spent[self._lanes, rows] + self.sensitivity.release_mu(noise_multiplier) ** 2
        if not spent.max(initial=0.0) <= self._limit:  # so that a charge that is no number is refused too
            row = int(rows[int(spent.argmax())])
            total = float(spent.max())
            reached = epsilon_of(total**0.5, self.budget.delta) if total == total else total
            raise OverspentError(
                f"privacy.epsilon={self.budget.epsilon:g}: a further release of row {row} would reach {reached:.6g}; "
                "it was not made (plan fewer evaluations or a larger budget)"
            )
        self._spent[self._lanes, rows] = spent
        self._touches[self._lanes, rows] += 1

    def epsilon(self) -> float:
        """Epsilon spent at the budget's delta by the row most spent on, recomputed from the releases made."""
        return epsilon_of(float(self._spent.max(initial=0.0)) ** 0.5, self.budget.delta)

    def note(self, **facts: Any) -> None:
        """Adds one entry (a batch of releases) to the record, with the totals reached."""
        totals = {"releases": int(self._touches.sum()), "most_per_row": int(self._touches.max(initial=0))}
        self._entries.append({**facts, **totals, "epsilon": self.epsilon(), "delta": self.budget.delta})

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The record: one entry for each batch of releases, oldest first."""
        return list(self._entries)

    def state_dict(self) -> dict[str, Any]:
        """Everything that a resumed run needs to go on counting."""
        entries = json.dumps(self._entries)
        return {"spent": self._spent.tolist(), "touches": self._touches.tolist(), "entries": entries}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes the counts of an earlier ledger of the same form."""
        spent, touches = np.array(state["spent"]), np.array(state["touches"], dtype=np.int64)
        if spent.shape != self._spent.shape:
            raise ValueError(f"a ledger of shape {spent.shape} cannot go on as {self._spent.shape}")
        self._spent, self._touches, self._entries = spent, touches, json.loads(state["entries"])
