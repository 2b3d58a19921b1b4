"""Semivalues of whole parties (data owners) by one-pass SGD, on private gradients if wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from assay.privacy.releases import Releases
from assay.privacy.rows.parties import refuse_without_account
from assay.valuation.gradient.party_settings import PartySettings

if TYPE_CHECKING:
    from assay.config.choices import Choices
    from assay.valuation.estimates import Estimates
    from assay.valuation.gradient.party_fit import PartyFit
    from assay.valuation.valuator import Problem, Run, Valuation


@dataclass(frozen=True)
class PartySemivalue(PartySettings):
    """Gradient semivalues whose players are the sources of the train split.

    In each permutation of the parties a party makes one step, along the mean of its rows' clipped gradients: each record is
    touched once a permutation. Guarantee: (epsilon, delta)-DP for each record (level=record) or for each party with all of
    its records (level=client). How many rows a party has, and which, is public at either level.
    Source: 2412.17008 as reconstructed, with data sets in the place of points.
    """

    accounts_for: ClassVar[frozenset[Releases]] = frozenset({Releases.ROW_GRADIENT})
    players: ClassVar[Literal["rows", "sources"]] = "sources"
    good_for: ClassVar[str] = (
        "ranking sources by what their rows add to each other's; not for finding single wrong labels"
    )

    def valuate(self, problem: Problem, run: Run) -> Valuation:
        """One estimate with standard errors, as GradientSemivalue gives them; raises InputError without sources."""
        return self._fit(problem, run, "parties", 1).valuation(run.parts.file("parties.pt"))

    def replicates(self, problem: Problem, run: Run, count: int, *, purpose: str = "parties") -> Estimates:
        """Values of the parties, `count` times [count, m]; `purpose` names the random streams."""
        return self._fit(problem, run, purpose, count).estimates(run.parts.file(f"{purpose}.pt"))

    def _fit(self, problem: Problem, run: Run, purpose: str, count: int) -> PartyFit:
        from assay.data.owners import parties_of
        from assay.valuation.gradient.party_fit import PartyFit

        return PartyFit(self, parties_of(problem.data.train), problem, run, purpose, count)

    def check(self, run: Choices) -> None:
        """Raises InputError for a mechanism whose releases have no account of parties."""
        refuse_without_account(run.privacy)
