"""Settings of values of whole parties (data owners)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

from assay.config.limits import Limit, at_least
from assay.learning.participation import Participation, draw_participation
from assay.runs.streams import Streams
from assay.valuation.gradient.settings import DescentSettings


@dataclass(frozen=True)
class PartySettings(DescentSettings):
    """A semivalue of parties; `level` record protects each row of a party, client a party with all of its rows.

    `bootstrap` is the number of repetitions behind the standard errors where releases are reused.
    """

    level: Literal["record", "client"] = "record"
    bootstrap: Annotated[int, at_least(0, "0 leaves out the standard errors of reused releases")] = 24


@dataclass(frozen=True)
class FederatedSettings(DescentSettings):
    """Federated training of `evaluations` rounds, and the orders behind the clients' contributions.

    In each round a `fraction` of the clients takes part (fixed), or each by a coin (poisson), none in more than
    `participations` rounds, with `local_steps` full-batch steps. `permutations` are orders of a round's clients.
    """

    level: Literal["record", "client"] = "record"
    fraction: Annotated[
        float, Limit(lambda value: 0 < value <= 1, "must be above 0 and 1 at most", "1 is every client")
    ] = 0.25
    sampling: Literal["fixed", "poisson"] = "fixed"
    participations: Annotated[int | None, at_least(1, "null sets no limit")] = None
    local_steps: Annotated[int, at_least(1, "a whole number from 1 on")] = 1
    permutations: Annotated[int, at_least(1, "a whole number from 1 on")] = 24

    @property
    def releases_each_step(self) -> bool:
        """True where each local step of a client is a release, and not the mean of its steps."""
        return self.level == "record"

    def participation(self, clients: int, streams: Streams) -> Participation:
        """Participants of each round: depends on the seed alone."""
        generator = partial(streams.generator, "participation")
        rounds = self.evaluations
        return draw_participation(clients, rounds, self.fraction, self.sampling, self.participations, generator)
