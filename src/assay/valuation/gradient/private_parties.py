"""The private part of a fit over parties: release, reuse."""

from __future__ import annotations

from functools import partial

from pytorch_lightning import Callback

from assay.data.owners import Parties
from assay.learning.callbacks.release_party_gradients import ReleasePartyGradients
from assay.learning.callbacks.reuse_releases import ReuseReleases
from assay.privacy.option import Budgeted
from assay.privacy.rows.parties import PartyAccount, PartySensitivity
from assay.valuation.valuator import Run


class PrivateParties:
    """Callbacks under which each step is along private releases of parties, at most `releases` of each, with their ledger."""

    def __init__(
        self,
        mechanism: Budgeted,
        sensitivity: PartySensitivity,
        parties: Parties,
        run: Run,
        purpose: str,
        *,
        releases: int,
        replicates: int,
    ) -> None:
        noise = mechanism.noise(partial(run.streams.seed, "noise", purpose), run.trainer.dtype, run.trainer.device)
        self.account = PartyAccount(mechanism.budget, sensitivity, replicates)
        self.ledger = mechanism.open_ledger(self.account)
        multiplier = mechanism.budget.noise_multiplier(releases, sensitivity)
        self.release = ReleasePartyGradients(noise, multiplier, self.ledger, sensitivity)
        self.reuse = ReuseReleases(len(parties)) if mechanism.reuses else None

    @property
    def callbacks(self) -> list[Callback]:
        """In the order in which they turn a gradient into the step."""
        return [self.release, self.reuse] if self.reuse else [self.release]
