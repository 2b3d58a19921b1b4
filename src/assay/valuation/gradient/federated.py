"""Values of the clients of federated training, on private updates if wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from assay.privacy.releases import Releases
from assay.privacy.rows.parties import refuse_without_account
from assay.valuation.gradient.party_settings import FederatedSettings

if TYPE_CHECKING:
    from assay.arrays import Floats
    from assay.config.choices import Choices
    from assay.data import Arrays
    from assay.valuation.estimates import Estimates
    from assay.valuation.valuator import Problem, Run, Valuation


@dataclass(frozen=True)
class FederatedShapley(FederatedSettings):
    """The sum over rounds of each client's Shapley value among the participants of the round (0 in rounds without it).

    At level=record each local step of a client is one release of the mean of its rows' clipped gradients; at level=client
    each participation is one release of the mean of its local steps. Guarantee: as of PartyAccount, for the client that
    takes part most often; who takes part, and how many rows a client has, is public. Replicates share the participants of
    each round.
    Source: Wang et al. 2020; reuse of a client's past releases after 2412.17008 as reconstructed.
    """

    accounts_for: ClassVar[frozenset[Releases]] = frozenset({Releases.ROW_GRADIENT})
    players: ClassVar[Literal["rows", "sources"]] = "sources"
    good_for: ClassVar[str] = "ranking clients by what their rounds added; not for finding single wrong labels"

    def valuate(self, problem: Problem, run: Run) -> Valuation:
        """One estimate of the clients' values; rounds follow from each other, so that none has a standard error."""
        from assay.valuation.gradient.estimates import single_valuation

        estimates = self.replicates(problem, run, 1)
        return single_valuation(estimates, estimates.std_errors[0])

    def scores(self, final: Floats, problem: Problem, part: Arrays) -> dict[str, Floats]:
        """Mean loss [R], and accuracy [R] of classification, of global models [R, P] on a split."""
        from assay.valuation.gradient.federated_fit import model_scores

        return model_scores(final, problem, part)

    def replicates(self, problem: Problem, run: Run, count: int, *, purpose: str = "clients") -> Estimates:
        """Values of the clients, `count` times; `extras` has the global models reached [count, P] as "final"."""
        from assay.valuation.gradient.federated_fit import federated_estimates

        return federated_estimates(self, problem, run, count, purpose, run.parts.file(f"{purpose}.pt"))

    def check(self, run: Choices) -> None:
        """Raises InputError for a mechanism whose releases have no account of parties."""
        refuse_without_account(run.privacy)
