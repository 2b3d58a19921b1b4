"""One-pass SGD over permutations of parties, each step along the mean of a party's clipped gradients."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import Callback

from assay.data.owners import Parties
from assay.learning.callbacks.record_values import RecordValues
from assay.learning.callbacks.reuse_releases import ReuseReleases
from assay.learning.callbacks.save_rounds import SaveRounds
from assay.learning.callbacks.show_rounds import ShowRounds
from assay.learning.fitting import Batches, carry_out_fit, quiet
from assay.learning.initialisation import public_start
from assay.learning.marginals import MarginalSums
from assay.learning.models import Shape
from assay.learning.models.party_mean import PartyMean, party_rows
from assay.learning.modules.permutation_pass import PermutationPass
from assay.privacy.option import Budgeted
from assay.privacy.rows.parties import Level, party_sensitivity
from assay.valuation.estimates import Estimates
from assay.valuation.gradient.estimates import rows_of, single_valuation
from assay.valuation.gradient.party_settings import PartySettings
from assay.valuation.gradient.private_parties import PrivateParties
from assay.valuation.gradient.release_bootstrap import bootstrap_std_errors
from assay.valuation.permutations import random_orders
from assay.valuation.valuator import Problem, Run, Valuation

STEPS_A_BATCH = 1_000  # rows met in one batch of the Trainer


class PartyFit:
    """The module and callbacks of one estimate of the parties' values; `private` is None without privacy."""

    def __init__(
        self, settings: PartySettings, parties: Parties, problem: Problem, run: Run, purpose: str, replicates: int = 1
    ) -> None:
        data, privacy, streams, trainer = problem.data, problem.privacy, run.streams, run.trainer
        torch.set_num_threads(trainer.threads)  # the start too is computed, and must not depend on what ran before
        self.settings, self.parties, self.privacy, self.context = settings, parties, privacy, run
        self.replicates, model = replicates, problem.model.replicated(Shape.of(data))
        sensitivity = party_sensitivity(privacy, parties.sizes, Level(settings.level))
        self.model = PartyMean(model, sensitivity)
        self.valid = rows_of(data.valid, trainer.dtype)
        generator = torch.Generator().manual_seed(streams.seed("initialisation"))
        self.start = public_start(model, settings.initialisation, self.valid.features, self.valid.target, generator)
        self.module = PermutationPass(
            self.model,
            party_rows(data.train.features, data.train.target, parties.rows, trainer.dtype),
            self.valid,
            self.start,
            random_orders(streams, len(parties), replicates, purpose),
            learning_rate=settings.learning_rate,
            utility=settings.utility,
            replicates=replicates,
        )
        self.record = RecordValues(self._sums(replicates))
        self.private: PrivateParties | None = None
        if sensitivity is not None and isinstance(privacy, Budgeted):
            self.private = PrivateParties(
                privacy, sensitivity, parties, run, purpose, releases=settings.evaluations, replicates=replicates
            )
        self.callbacks: list[Callback] = [*(self.private.callbacks if self.private else []), self.record]

    def _sums(self, replicates: int) -> MarginalSums:
        parties, burn_in = len(self.parties), self.privacy.burn_in_rounds(self.settings.evaluations)
        return MarginalSums(parties, replicates, burn_in, self.settings.weights(parties))

    def estimates(self, checkpoint: Path | None = None) -> Estimates:
        """Carries out the rounds that are not yet done; the cost includes that of interrupted attempts."""
        trainer, evaluations, advance = self.context.trainer, self.settings.evaluations, self.context.advance
        save = SaveRounds(checkpoint, trainer.checkpoint_seconds)
        done = save.resume(self.module, self.callbacks)
        advance(done)
        if done < evaluations:
            batches = Batches(
                torch.split(torch.arange(done + 1, evaluations + 1), max(1, STEPS_A_BATCH // sum(self.parties.sizes)))
            )
            with quiet():
                fit = trainer.build([*self.callbacks, ShowRounds(advance), save], max_epochs=1)
            carry_out_fit(fit, self.module, batches)
        sums, private = self.record.marginals, self.private
        untouched = np.zeros((self.replicates, len(self.parties)), dtype=np.int64)
        return Estimates(
            ids=self.parties.source,
            values=sums.values(),
            std_errors=sums.std_errors(),
            evaluations=sums.evaluations,
            touches=private.account.touches if private else untouched,
            epsilon=private.ledger.epsilon() if private else 0.0,
            noise_multiplier=private.release.noise_multiplier if private else 0.0,
            entries=private.ledger.entries if private else [],
            utility_evaluations=self.module.utility_evaluations,
            cost=save.cost(),
        )

    def valuation(self, checkpoint: Path | None = None) -> Valuation:
        """The first replicate with standard errors over permutations, or by a bootstrap where releases are reused."""
        estimates, repeats = self.estimates(checkpoint), self.settings.bootstrap
        errors, freedom = estimates.std_errors[0], int(estimates.evaluations[0, 0]) - 1
        if self.private and self.private.reuse is not None:
            errors = self.bootstrap(repeats) if repeats > 1 else np.full_like(errors, np.nan)
            freedom = repeats - 1
        return single_valuation(estimates, errors, freedom)

    def bootstrap(self, replicates: int) -> NDArray[np.float64]:
        """Standard errors [m] of the first replicate's values, from its releases; ValueError where none are reused."""
        private, evaluations = self.private, self.settings.evaluations
        if private is None or private.reuse is None:
            raise ValueError("only a mechanism that reuses releases has them to bootstrap from")
        return bootstrap_std_errors(
            self.model.model,
            private.reuse.mean_releases(evaluations)[0],
            self.valid,
            self.start,
            deviations=np.broadcast_to(private.release.deviations, (evaluations, len(self.parties))),
            reuse=ReuseReleases(len(self.parties)),
            marginals=self._sums(replicates),
            orders=random_orders(self.context.streams, len(self.parties), replicates, "bootstrap"),
            replicates=replicates,
            learning_rate=self.settings.learning_rate,
            utility=self.settings.utility,
            wave=1,
            streams=self.context.streams,
            trainer=self.context.trainer,
        )
