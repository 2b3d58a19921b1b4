"""privacy=directed_private_path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from assay.config.limits import at_least, inside
from assay.privacy.budget import Budget
from assay.privacy.rows.directed import Directed
from assay.privacy.rows.numbers import PrivatePath


@dataclass(frozen=True)
class DirectedPrivatePath(Directed):
    """One clipped number of each row, taken along a private mean-gradient trajectory and released once.

    `path_share` of epsilon and all of delta are spent on the trajectory, which clips gradients at the `path_quantile` of the
    public rows' norms; the public trajectories' spread is laid about it. Below an epsilon of `path_from` the trajectory would
    be all noise: public ones serve alone, all of epsilon goes to the numbers, and delta is 0.
    Source: [derived].
    """

    name: str = "directed_private_path"
    path_share: Annotated[float, inside(0, 1, "0.25 leaves three quarters of epsilon to the values")] = 0.25
    path_from: Annotated[float, at_least(0, "0: at every epsilon")] = 4.0
    path_quantile: Annotated[float, inside(0, 1, "0.5 is the median")] = 0.5

    @property
    def guaranteed_delta(self) -> float:
        """Delta, which the trajectory spends; 0 along public ones."""
        return self.delta if self.epsilon >= self.path_from else 0.0

    @property
    def value_budget(self) -> Budget:
        """The share of epsilon that is left to the numbers."""
        share = 1.0 if self.path is None else 1 - self.path_share
        return Budget(self.epsilon * share, self.delta, self.budget.relation)

    @property
    def path(self) -> PrivatePath | None:
        """The trajectory, on a share of epsilon and all of delta; None below `path_from`."""
        if self.epsilon < self.path_from:
            return None
        budget = Budget(self.epsilon * self.path_share, self.delta, self.budget.relation)
        return PrivatePath(budget, self.path_quantile)
