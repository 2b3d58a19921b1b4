"""One-pass SGD over permutations of the rows, with the callbacks that a mechanism asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import Callback

from assay.learning.callbacks.clip_row_gradients import ClipRowGradients
from assay.learning.callbacks.record_values import RecordValues
from assay.learning.callbacks.release_gradients import ReleaseGradients
from assay.learning.callbacks.save_rounds import SaveRounds
from assay.learning.callbacks.show_rounds import ShowRounds
from assay.learning.callbacks.zero_out_row import ZeroOutRow
from assay.learning.fitting import Batches, carry_out_fit, quiet
from assay.learning.initialisation import public_start
from assay.learning.marginals import MarginalSums
from assay.learning.models import Shape
from assay.learning.modules.permutation_pass import PermutationPass, Rows
from assay.privacy.ledger import Ledger
from assay.privacy.rows.account import RowAccount
from assay.privacy.rows.reuse import burn_in_rounds
from assay.runs.cost import Cost
from assay.valuation.gradient.estimates import Estimates, Subtables, rows_of
from assay.valuation.gradient.public_norm import public_norm
from assay.valuation.gradient.release_bootstrap import bootstrap_std_errors
from assay.valuation.gradient.reuse import Reuse, open_reuse
from assay.valuation.permutations import Orders, antithetic_orders, orders_within, random_orders
from assay.valuation.semivalues import semivalue_weights
from assay.valuation.valuator import Problem, Run

if TYPE_CHECKING:
    from assay.valuation.gradient.semivalue import GradientSemivalue

STEPS_A_BATCH = 1_000  # enough work that the Trainer's own time between batches does not show


class PermutationFit:
    """The module and callbacks of one estimate, built from its choices."""

    def __init__(
        self,
        choice: GradientSemivalue,
        problem: Problem,
        run: Run,
        purpose: str,
        burn_ins: Sequence[float] = (),
        subtables: Subtables | None = None,
    ) -> None:
        data, model, privacy = problem.data, problem.model, problem.privacy
        streams, trainer = run.streams, run.trainer
        torch.set_num_threads(trainer.threads)  # the start too is computed, and must not depend on what ran before
        self.choice, self.privacy, self.streams, self.trainer = choice, privacy, streams, trainer
        self.advance = run.advance
        self.ids, self.rows, replicates, dtype = data.train.ids, len(data.train), choice.replicates, trainer.dtype
        self.steps = self.rows if subtables is None else subtables.rows.shape[1]
        self.model = model.replicated(Shape.of(data))
        self.valid = rows_of(data.valid, dtype)
        generator = torch.Generator().manual_seed(streams.seed("initialisation"))
        public = (self.valid.features, self.valid.target)
        self.start = public_start(self.model, choice.initialisation, *public, generator)
        if privacy.mechanism.clips_by_public_rows:
            norm = public_norm(self.model, self.start, *public, privacy.clip_quantile)
            privacy = self.privacy = privacy.with_max_grad_norm(norm)
        orders = self._orders(replicates, purpose)
        if subtables is not None:
            if choice.wave > 1:
                raise ValueError("subtables are walked one permutation at a time (use wave=1)")
            orders = orders_within(subtables.rows, orders)
        self.module = self._module(rows_of(data.train, dtype), orders)
        left_out = [burn_in_rounds(burn_in, choice.evaluations) for burn_in in burn_ins]
        own = self._sums(replicates, privacy.burn_in_rounds(choice.evaluations))
        self.record = RecordValues(own, [self._sums(replicates, rounds) for rounds in left_out])
        self.release: ReleaseGradients | None = None
        self.reuse: Reuse | None = None
        self.account: RowAccount | None = None
        self.callbacks: list[Callback] = [self.record]
        if privacy.mechanism.private:
            noise = privacy.noise(lambda number: streams.seed("noise", purpose, number), dtype, trainer.device)
            self.account = privacy.open_account(self.rows, replicates)
            multipliers = privacy.noise_multipliers(choice.evaluations)
            self.release = ReleaseGradients(noise, multipliers, Ledger(self.account))
            self.reuse = self._reuse(replicates, "privacy")
            clip = ClipRowGradients(privacy.max_grad_norm, privacy.budget.relation)
            self.callbacks = [clip, self.release, *([self.reuse] if self.reuse else []), self.record]
        if subtables is not None:
            self.callbacks.insert(0, ZeroOutRow(subtables.vanished))

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
            wave=self.choice.wave,
        )

    def _orders(self, replicates: int, purpose: str) -> Orders:
        orders = random_orders(self.streams, self.steps, replicates, purpose)
        return antithetic_orders(orders) if self.choice.antithetic else orders

    def _reuse(self, replicates: int, key: str) -> Reuse | None:
        return open_reuse(
            self.privacy,
            rows=self.rows,
            parameters=self.model.parameter_count,
            evaluations=self.choice.evaluations,
            replicates=replicates,
            wave=self.choice.wave,
            key=key,
        )

    def _sums(self, replicates: int, burn_in: int) -> MarginalSums:
        weights = semivalue_weights(self.choice.semivalue, self.steps, self.choice.alpha, self.choice.beta)
        return MarginalSums(self.rows, replicates, burn_in, weights, group=2 if self.choice.antithetic else 1)

    def run(self, checkpoint: Path | None) -> Estimates:
        """Carries out the rounds that are not yet done; the cost includes that of interrupted attempts."""
        save = SaveRounds(checkpoint, self.trainer.checkpoint_seconds)
        done = save.resume(self.module, self.callbacks)
        self.advance(done)
        if done < self.choice.evaluations:
            rounds = torch.arange(done + 1, self.choice.evaluations + 1)
            waves = -(-max(1, STEPS_A_BATCH // self.rows) // self.choice.wave)
            batches = Batches(torch.split(rounds, waves * self.choice.wave))  # a resumed fit begins with a wave
            with quiet():
                fit = self.trainer.build([*self.callbacks, ShowRounds(self.advance), save], max_epochs=1)
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
            noise_multiplier=float(self.privacy.noise_multipliers(self.choice.evaluations)[0]) if ledger else 0.0,
            entries=ledger.entries if ledger else [],
            utility_evaluations=self.module.utility_evaluations,
            cost=cost,
            by_burn_in=np.array([sums.values() for sums in self.record.further]),
        )

    def check_bootstrap(self, replicates: int) -> None:
        """Raises InputError when there is no room for that many; nothing is computed."""
        self._reuse(replicates, "valuation.bootstrap")

    def bootstrap(self, replicates: int) -> NDArray[np.float64]:
        """Standard errors [n] of the first replicate's values, from its releases."""
        reuse = self._reuse(replicates, "valuation.bootstrap")
        if self.reuse is None or reuse is None:
            raise ValueError("only a mechanism that reuses releases has them to bootstrap from")
        return bootstrap_std_errors(
            self.model,
            self.reuse.mean_releases(self.choice.evaluations)[0],
            self.valid,
            self.start,
            deviations=self.privacy.noise_multipliers(self.choice.evaluations) * self.privacy.max_grad_norm,
            reuse=reuse,
            marginals=self._sums(replicates, self.privacy.burn_in_rounds(self.choice.evaluations)),
            orders=self._orders(replicates, "bootstrap"),
            replicates=replicates,
            learning_rate=self.choice.learning_rate,
            utility=self.choice.utility,
            wave=self.choice.wave,
            streams=self.streams,
            trainer=self.trainer,
        )
