"""One-pass SGD over permutations of the rows, with the callbacks that a mechanism asks for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import Callback

from assay.learning.callbacks.clip_row_gradients import ClipRowGradients
from assay.learning.callbacks.record_values import RecordValues
from assay.learning.callbacks.release_gradients import ReleaseGradients
from assay.learning.callbacks.reuse_releases import ReuseReleases
from assay.learning.callbacks.save_rounds import SaveRounds
from assay.learning.callbacks.show_rounds import ShowRounds
from assay.learning.initialisation import public_start
from assay.learning.marginals import MarginalSums
from assay.learning.models import build_model
from assay.learning.modules.permutation_pass import PermutationPass, Rows
from assay.learning.trainers import Batches, carry_out_fit, quiet
from assay.privacy.ledger import Ledger
from assay.privacy.row_account import RowAccount
from assay.runs.cost import Cost
from assay.valuation.estimates import Estimates, Problem, rows_of
from assay.valuation.permutations import Orders, random_orders
from assay.valuation.release_bootstrap import bootstrap_std_errors
from assay.valuation.semivalues import semivalue_weights

if TYPE_CHECKING:
    from assay.valuation.gradient_semivalue import GradientSemivalue

STEPS_A_BATCH = 1_000  # enough work that the Trainer's own time between batches does not show


class PermutationFit:
    """The module and callbacks of one estimate, built from its choices."""

    def __init__(
        self,
        choice: GradientSemivalue,
        problem: Problem,
        purpose: str,
    ) -> None:
        data, model, privacy, streams, trainer = (
            problem.data,
            problem.model,
            problem.privacy,
            problem.streams,
            problem.trainer,
        )
        torch.set_num_threads(trainer.threads)  # the start too is computed, and must not depend on what ran before
        self.choice, self.privacy, self.streams, self.trainer = choice, privacy, streams, trainer
        self.ids, self.rows, replicates, dtype = data.train.ids, len(data.train), choice.replicates, trainer.dtype
        features = data.train.features.shape[1]
        classes, modality = len(data.classes), data.modality
        self.model = build_model(model, kind=data.kind, classes=classes, features=features, modality=modality)
        self.valid = rows_of(data.valid, dtype)
        generator = torch.Generator().manual_seed(streams.seed("initialisation"))
        start_from = (choice.initialisation, self.valid.features, self.valid.target)
        self.start = public_start(self.model, *start_from, generator)
        self.module = self._module(rows_of(data.train, dtype), random_orders(streams, self.rows, replicates, purpose))
        self.record = RecordValues(self._sums(replicates))
        self.release: ReleaseGradients | None = None
        self.reuse: ReuseReleases | None = None
        self.account: RowAccount | None = None
        self.callbacks: list[Callback] = [self.record]
        if privacy.mechanism.private:
            noise = privacy.noise(lambda number: streams.seed("noise", purpose, number), dtype, trainer.device)
            self.account = privacy.open_account(self.rows, replicates)
            self.release = ReleaseGradients(noise, privacy.noise_multiplier(choice.evaluations), Ledger(self.account))
            self.reuse = ReuseReleases(self.rows) if privacy.mechanism.reuses else None
            clip = ClipRowGradients(privacy.max_grad_norm, privacy.budget.relation)
            self.callbacks = [clip, self.release, *([self.reuse] if self.reuse else []), self.record]

    def _module(self, train: Rows, orders: Orders) -> PermutationPass:
        return PermutationPass(
            self.model,
            train,
            self.valid,
            self.start,
            orders,
            learning_rate=self.choice.learning_rate,
            utility=self.choice.utility,
            replicates=self.choice.replicates,
        )

    def _sums(self, replicates: int) -> MarginalSums:
        weights = semivalue_weights(self.choice.semivalue, self.rows, self.choice.alpha, self.choice.beta)
        return MarginalSums(self.rows, replicates, self.privacy.burn_in_rounds(self.choice.evaluations), weights)

    def run(self, checkpoint: Path | None, advance: Callable[[int], object]) -> Estimates:
        """Carries out the rounds that are not yet done; the cost includes that of interrupted attempts."""
        save = SaveRounds(checkpoint, self.trainer.checkpoint_seconds)
        done = save.resume(self.module, self.callbacks)
        advance(done)
        if done < self.choice.evaluations:
            rounds = torch.arange(done + 1, self.choice.evaluations + 1)
            batches = Batches(torch.split(rounds, max(1, STEPS_A_BATCH // self.rows)))
            with quiet():
                fit = self.trainer.build([*self.callbacks, ShowRounds(advance), save], max_epochs=1)
            carry_out_fit(fit, self.module, batches)
        return self._found(save.cost())

    def _found(self, cost: Cost) -> Estimates:
        sums, ledger = self.record.marginals, self.release.ledger if self.release else None
        return Estimates(
            ids=self.ids,
            values=sums.values(),
            std_errors=sums.std_errors(),
            evaluations=sums.evaluations,
            touches=self.account.touches
            if self.account
            else np.zeros((self.choice.replicates, self.rows), dtype=np.int64),
            epsilon=ledger.epsilon() if ledger else 0.0,
            noise_multiplier=self.release.noise_multiplier if self.release else 0.0,
            entries=ledger.entries if ledger else [],
            utility_evaluations=self.module.utility_evaluations,
            cost=cost,
        )

    def bootstrap(self, replicates: int) -> NDArray[np.float64]:
        """Standard errors [n] of the first replicate's values, from its releases."""
        if self.reuse is None or self.release is None:
            raise ValueError("only a mechanism that reuses releases has them to bootstrap from")
        return bootstrap_std_errors(
            self.model,
            self.reuse.mean_releases(self.choice.evaluations)[0],
            self.valid,
            self.start,
            deviation=self.release.noise_multiplier * self.privacy.max_grad_norm,
            marginals=self._sums(replicates),
            replicates=replicates,
            evaluations=self.choice.evaluations,
            learning_rate=self.choice.learning_rate,
            utility=self.choice.utility,
            streams=self.streams,
            trainer=self.trainer,
        )
