"""privacy=directed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from assay.privacy.ceilings import pure_detection_ceiling
from assay.privacy.ledger import Account
from assay.privacy.rows.numbers import RowNumber
from assay.privacy.rows.pure_account import PureAccount, PureRelease

Law = Literal["auto", "laplace", "randomized_response", "piecewise"]


@dataclass(frozen=True)
class Directed(RowNumber):
    """One clipped number of each row, taken along public trajectories and released once by a pure law.

    `law` auto is the law whose simulated releases rank public rows best.
    Source: [derived].
    """

    name: str = "directed"
    law: Law = "auto"

    @property
    def guaranteed_delta(self) -> float:
        """0: pure laws spend no delta."""
        return 0.0

    @property
    def laws(self) -> Sequence[str]:
        """The law, or every pure one."""
        return get_args(Law)[1:] if self.law == "auto" else (self.law,)

    def detection_ceiling(self) -> float:
        """Bound of pure releases; exchanging two rows leaves the trajectories as they are."""
        return pure_detection_ceiling(self.value_budget.epsilon, self.budget.relation)

    def open_account(self, rows: int, replicates: int = 1) -> Account[Any]:
        """An empty account of epsilon and delta by basic composition."""
        return PureAccount(self.budget, rows, replicates)

    def charges(self, epsilon: float, deviation: float, rows: int, replicates: int) -> list[Any]:
        """One release of the whole table, which the account refuses for a law that spends no pure epsilon."""
        return [PureRelease(epsilon)]
