"""One-pass SGD over permutations of parties, each step along the mean of a party's clipped gradients."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import Callback

from assay.data.owners import Parties
from assay.learning.callbacks.record_values import RecordValues
from assay.learning.callbacks.release_party_gradients import ReleasePartyGradients
from assay.learning.callbacks.reuse_releases import ReuseReleases
from assay.learning.callbacks.save_rounds import SaveRounds
from assay.learning.callbacks.show_rounds import ShowRounds
from assay.learning.fitting import Batches, carry_out_fit, quiet
from assay.learning.initialisation import public_start
from assay.learning.marginals import MarginalSums
from assay.learning.models import Shape
from assay.learning.models.party_mean import PartyMean, party_rows
from assay.learning.modules.permutation_pass import PermutationPass
from assay.privacy.ledger import Ledger
from assay.privacy.rows.parties import Level, PartyAccount, party_sensitivity
from assay.valuation.gradient.estimates import Estimates, rows_of
from assay.valuation.gradient.release_bootstrap import bootstrap_std_errors
from assay.valuation.permutations import random_orders
from assay.valuation.semivalues import semivalue_weights
from assay.valuation.valuator import Problem, Run

if TYPE_CHECKING:
    from assay.valuation.gradient.semivalue import GradientSemivalue

STEPS_A_BATCH = 1_000  # rows met in one batch of the Trainer


class PartyFit:
    """The module and callbacks of one estimate of the parties' values, built from its choices."""

    def __init__(
        self, choice: GradientSemivalue, level: Level, parties: Parties, problem: Problem, run: Run, purpose: str
    ) -> None:
        data, privacy, streams, trainer = problem.data, problem.privacy, run.streams, run.trainer
        torch.set_num_threads(trainer.threads)  # the start too is computed, and must not depend on what ran before
        self.choice, self.parties, self.problem, self.context, dtype = choice, parties, problem, run, trainer.dtype
        model = problem.model.replicated(Shape.of(data))
        self.sensitivity = party_sensitivity(privacy, parties.sizes, level)
        self.model = PartyMean(model, self.sensitivity)
        self.valid = rows_of(data.valid, dtype)
        generator = torch.Generator().manual_seed(streams.seed("initialisation"))
        self.start = public_start(model, choice.initialisation, self.valid.features, self.valid.target, generator)
        self.module = PermutationPass(
            self.model,
            party_rows(data.train.features, data.train.target, parties.rows, dtype),
            self.valid,
            self.start,
            random_orders(streams, len(parties), choice.replicates, purpose),
            learning_rate=choice.learning_rate,
            utility=choice.utility,
            replicates=choice.replicates,
        )
        self.record = RecordValues(self._sums(choice.replicates))
        self.callbacks: list[Callback] = [self.record]
        self.account: PartyAccount | None = None
        self.release: ReleasePartyGradients | None = None
        self.reuse: ReuseReleases | None = None
        if self.sensitivity is not None:
            noise = privacy.noise(lambda number: streams.seed("noise", purpose, number), dtype, trainer.device)
            self.account = PartyAccount(privacy.budget, self.sensitivity, choice.replicates)
            sigma = privacy.budget.noise_multiplier(choice.evaluations, self.sensitivity)
            self.release = ReleasePartyGradients(noise, sigma, Ledger(self.account), self.sensitivity)
            self.reuse = ReuseReleases(len(parties)) if privacy.mechanism.reuses else None
            self.callbacks = [self.release, *([self.reuse] if self.reuse else []), self.record]

    def _sums(self, replicates: int) -> MarginalSums:
        choice, count = self.choice, len(self.parties)
        weights = semivalue_weights(choice.semivalue, count, choice.alpha, choice.beta)
        return MarginalSums(count, replicates, self.problem.privacy.burn_in_rounds(choice.evaluations), weights)

    def run(self, checkpoint: Path | None) -> Estimates:
        """Carries out the rounds that are not yet done; the cost includes that of interrupted attempts."""
        trainer, evaluations, advance = self.context.trainer, self.choice.evaluations, self.context.advance
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
        sums, ledger = self.record.marginals, self.release.ledger if self.release else None
        untouched = np.zeros((self.choice.replicates, len(self.parties)), dtype=np.int64)
        return Estimates(
            ids=self.parties.source,
            values=sums.values(),
            std_errors=sums.std_errors(),
            evaluations=sums.evaluations,
            touches=self.account.touches if self.account else untouched,
            epsilon=ledger.epsilon() if ledger else 0.0,
            noise_multiplier=self.release.noise_multiplier if self.release else 0.0,
            entries=ledger.entries if ledger else [],
            utility_evaluations=self.module.utility_evaluations,
            cost=save.cost(),
        )

    def bootstrap(self, replicates: int) -> NDArray[np.float64]:
        """Standard errors [m] of the first replicate's values, from its releases."""
        if self.reuse is None or self.release is None:
            raise ValueError("only a mechanism that reuses releases has them to bootstrap from")
        return bootstrap_std_errors(
            self.model.model,
            self.reuse.mean_releases(self.choice.evaluations)[0],
            self.valid,
            self.start,
            deviations=np.broadcast_to(self.release.deviations, (self.choice.evaluations, len(self.parties))),
            reuse=ReuseReleases(len(self.parties)),
            marginals=self._sums(replicates),
            orders=random_orders(self.context.streams, len(self.parties), replicates, "bootstrap"),
            replicates=replicates,
            learning_rate=self.choice.learning_rate,
            utility=self.choice.utility,
            wave=1,
            streams=self.context.streams,
            trainer=self.context.trainer,
        )
