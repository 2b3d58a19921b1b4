"""The account of releases that concern one row each and cost it a plain epsilon (and perhaps a delta)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.errors import InputError
from assay.privacy.budget import Budget
from assay.privacy.ledger import OverspentError
from assay.privacy.relations import Relation, Sensitivity


class PureRelease(NamedTuple):
    """One release of every row of every replicate, each (epsilon, delta)-DP for the row it concerns."""

    epsilon: float
    delta: float = 0.0


class PureAccount:
    """Sums epsilon and delta per row (basic composition, Dwork et al. 2006); rows are disjoint data.

    The sensitivity is that of a number clipped to [-1, 1]. Raises InputError under add-remove, as RowAccount does.

    Guarantee: after any sequence of accepted charges, each row's releases together are (epsilon, delta)-DP.
    """

    def __init__(self, budget: Budget, rows: int, replicates: int = 1) -> None:
        if budget.relation is Relation.ADD_REMOVE:
            limit = "a release of a row shows that the row is there"
            raise InputError("privacy.relation", budget.relation, limit, "use privacy.relation=zero_out or replace_one")
        self.budget, self.sensitivity = budget, Sensitivity(1.0, budget.relation)
        self._shape = (replicates, rows)
        self._epsilon, self._delta, self._releases = 0.0, 0.0, 0

    @property
    def touches(self) -> NDArray[np.int64]:
        """Releases made so far [replicates, rows]."""
        return np.full(self._shape, self._releases, dtype=np.int64)

    def charge(self, release: PureRelease) -> None:
        """Counts one release; raises OverspentError, with nothing counted, when it would exceed epsilon or delta."""
        epsilon, delta = self._epsilon + release.epsilon, self._delta + release.delta
        room = 1 + 1e-12  # what the sum of shares may be off by in the last bits
        if not (release.epsilon > 0 and epsilon <= self.budget.epsilon * room and delta <= self.budget.delta * room):
            raise OverspentError(
                f"privacy.epsilon={self.budget.epsilon:g}: a further release would reach epsilon={epsilon:.6g}, "
                f"delta={delta:.3g}; it was not made (plan smaller shares or a larger budget)"
            )
        self._epsilon, self._delta, self._releases = epsilon, delta, self._releases + 1

    def epsilon(self) -> float:
        """Epsilon spent by each row."""
        return min(self._epsilon, self.budget.epsilon)

    def delta(self) -> float:
        """Delta spent by each row: 0 for pure laws."""
        return min(self._delta, self.budget.delta)

    def totals(self) -> dict[str, Any]:
        """Releases made in all, and of one row."""
        return {"releases": self._releases * self._shape[0] * self._shape[1], "most_per_row": self._releases}

    def state_dict(self) -> dict[str, Any]:
        """The sums."""
        return {"epsilon": self._epsilon, "delta": self._delta, "releases": self._releases, "shape": list(self._shape)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes the sums of an earlier account; raises ValueError for a table of another shape."""
        if tuple(state["shape"]) != self._shape:
            raise ValueError(f"an account of shape {tuple(state['shape'])} cannot go on as {self._shape}")
        self._epsilon, self._delta, self._releases = state["epsilon"], state["delta"], int(state["releases"])
