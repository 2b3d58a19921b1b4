"""Base classes of mechanisms that release numbers of a row, taken along trajectories that reveal no row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np

from assay.config.limits import Limit, above, at_least
from assay.privacy.budget import Budget
from assay.privacy.ledger import Account
from assay.privacy.relations import Sensitivity
from assay.privacy.releases import Releases
from assay.privacy.rows.account import RowAccount, RowRelease
from assay.privacy.rows.releases import RowReleases


@dataclass(frozen=True)
class PrivatePath:
    """A trajectory along noised means of clipped gradients; they are clipped at a quantile of public rows' norms."""

    budget: Budget
    quantile: float


@dataclass(frozen=True)
class AlongTrajectories(RowReleases):
    """Numbers of each row along `paths` public trajectories, clipped to `clip` and released once.

    `clip` is in units of the number; null: chosen on public rows.
    """

    one_release: ClassVar[bool] = True

    clip: Annotated[float | None, above(0, "null lets public rows choose")] = None
    paths: Annotated[int, at_least(1, "a whole number from 1 on")] = 24


@dataclass(frozen=True)
class RowNumber(AlongTrajectories):
    """One number of each row. A mechanism is a subclass that names the scalar laws it chooses from (`laws`).

    `stand_ins` are tables of public rows whose exact values are known, on which the whole mechanism is tried: they give single
    valuations their size and prediction intervals. They read no private row.

    Guarantee: `value_budget` and the budget of `path` add up to the budget, and `charges` are the releases that the account of
    `open_account` accepts.
    """

    releases: ClassVar[Releases | None] = Releases.ROW_NUMBER

    stand_ins: Annotated[
        int,
        Limit(
            lambda count: count == 0 or count >= 6,
            "must be 0 or at least 6",
            "0 leaves the interval of the noise alone",
        ),
    ] = 12

    @property
    def laws(self) -> Sequence[str]:
        """Names of the scalar laws to choose from on public rows."""
        raise NotImplementedError

    @property
    def value_budget(self) -> Budget:
        """Budget of the numbers."""
        return self.budget

    @property
    def path(self) -> PrivatePath | None:
        """The trajectory that reads private rows; None where trajectories are public."""
        return None

    def open_account(self, rows: int, replicates: int = 1) -> Account[Any]:
        """An empty account of numbers clipped to [-1, 1], for a table of `rows` rows."""
        return RowAccount(self.budget, Sensitivity(1.0, self.budget.relation), rows, replicates)

    def charges(self, epsilon: float, deviation: float, rows: int, replicates: int) -> list[Any]:
        """Releases to charge before numbers are drawn by a law of this pure epsilon, or noise of this deviation in clips."""
        return [RowRelease(np.full(replicates, row), deviation) for row in range(rows)]
