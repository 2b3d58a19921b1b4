"""One-pass SGD over permutations of the rows, with the callbacks that a mechanism asks for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import Callback

from assay.learning.callbacks.record_values import RecordValues
from assay.learning.callbacks.save_rounds import SaveRounds
from assay.learning.callbacks.show_rounds import ShowRounds
from assay.learning.callbacks.zero_out_row import ZeroOutRow
from assay.learning.fitting import Batches, carry_out_fit, quiet
from assay.learning.initialisation import public_start
from assay.learning.marginals import MarginalSums
from assay.learning.models import Shape
from assay.learning.modules.permutation_pass import PermutationPass, Rows
from assay.privacy.rows.gradients import RowGradients
from assay.privacy.rows.reuse import burn_in_rounds
from assay.runs.cost import Cost
from assay.valuation.estimates import Estimates
from assay.valuation.gradient.estimates import Subtables, rows_of, single_valuation
from assay.valuation.gradient.private_rounds import PrivateRounds
from assay.valuation.gradient.public_norm import public_norm
from assay.valuation.gradient.release_bootstrap import bootstrap_std_errors
from assay.valuation.gradient.reuse import Reuse, open_reuse
from assay.valuation.gradient.settings import GradientSettings
from assay.valuation.permutations import Orders, antithetic_orders, orders_within, random_orders
from assay.valuation.valuator import Problem, Run, Valuation

STEPS_A_BATCH = 1_000  # enough work that the Trainer's own time between batches does not show


class PermutationFit:
    """The module and callbacks of one estimate, built from its settings; `private` is None without privacy."""

    def __init__(
        self,
        settings: GradientSettings,
        problem: Problem,
        run: Run,
        purpose: str,
        replicates: int = 1,
        *,
        burn_ins: Sequence[float] = (),
        subtables: Subtables | None = None,
    ) -> None:
        data, trainer = problem.data, run.trainer
        torch.set_num_threads(trainer.threads)  # the start too is computed, and must not depend on what ran before
        self.settings, self.privacy, self.context, self.replicates = settings, problem.privacy, run, replicates
        self.ids, self.rows = data.train.ids, len(data.train)
        self.steps = self.rows if subtables is None else subtables.rows.shape[1]
        self.model = problem.model.replicated(Shape.of(data))
        self.valid = rows_of(data.valid, trainer.dtype)
        generator = torch.Generator().manual_seed(run.streams.seed("initialisation"))
        public = (self.valid.features, self.valid.target)
        self.start = public_start(self.model, settings.initialisation, *public, generator)
        orders = self._orders(replicates, purpose)
        if subtables is not None:
            if settings.wave > 1:
                raise ValueError("subtables are walked one permutation at a time (use wave=1)")
            orders = orders_within(subtables.rows, orders)
        self.module = self._module(rows_of(data.train, trainer.dtype), orders)
        left_out = [burn_in_rounds(burn_in, settings.evaluations) for burn_in in burn_ins]
        own = self._sums(replicates, self.privacy.burn_in_rounds(settings.evaluations))
        self.record = RecordValues(own, [self._sums(replicates, rounds) for rounds in left_out])
        self.private = self._private(purpose)
        self.callbacks: list[Callback] = [*(self.private.callbacks if self.private else []), self.record]
        if subtables is not None:
            self.callbacks.insert(0, ZeroOutRow(subtables.vanished))

    def _private(self, purpose: str) -> PrivateRounds | None:
        mechanism, trainer, streams = self.privacy, self.context.trainer, self.context.streams
        if not isinstance(mechanism, RowGradients):
            return None
        public = (self.model, self.start, self.valid.features, self.valid.target)
        return PrivateRounds(
            mechanism,
            lambda quantile: public_norm(*public, quantile),
            mechanism.noise(partial(streams.seed, "noise", purpose), trainer.dtype, trainer.device),
            self._reuse(mechanism, self.replicates, "privacy"),
            rows=self.rows,
            replicates=self.replicates,
            evaluations=self.settings.evaluations,
        )

    def _module(self, train: Rows, orders: Orders) -> PermutationPass:
        return PermutationPass(
            self.model,
            train,
            self.valid,
            self.start,
            orders,
            learning_rate=self.settings.learning_rate,
            utility=self.settings.utility,
            replicates=self.replicates,
            wave=self.settings.wave,
        )

    def _orders(self, replicates: int, purpose: str) -> Orders:
        orders = random_orders(self.context.streams, self.steps, replicates, purpose)
        return antithetic_orders(orders) if self.settings.antithetic else orders

    def _reuse(self, mechanism: RowGradients, replicates: int, key: str) -> Reuse | None:
        return open_reuse(
            mechanism,
            rows=self.rows,
            parameters=self.model.parameter_count,
            evaluations=self.settings.evaluations,
            replicates=replicates,
            wave=self.settings.wave,
            key=key,
        )

    def _sums(self, replicates: int, burn_in: int) -> MarginalSums:
        weights, group = self.settings.weights(self.steps), 2 if self.settings.antithetic else 1
        return MarginalSums(self.rows, replicates, burn_in, weights, group=group)

    def estimates(self, checkpoint: Path | None = None) -> Estimates:
        """Carries out the rounds that are not yet done; the cost includes that of interrupted attempts."""
        trainer, advance, evaluations = self.context.trainer, self.context.advance, self.settings.evaluations
        save = SaveRounds(checkpoint, trainer.checkpoint_seconds)
        done = save.resume(self.module, self.callbacks)
        advance(done)
        if done < evaluations:
            rounds = torch.arange(done + 1, evaluations + 1)
            waves = -(-max(1, STEPS_A_BATCH // self.rows) // self.settings.wave)
            batches = Batches(torch.split(rounds, waves * self.settings.wave))  # a resumed fit begins with a wave
            with quiet():
                fit = trainer.build([*self.callbacks, ShowRounds(advance), save], max_epochs=1)
            carry_out_fit(fit, self.module, batches)
        return self._estimates(save.cost())

    def _estimates(self, cost: Cost) -> Estimates:
        sums, private = self.record.marginals, self.private
        untouched = np.zeros((self.replicates, self.rows), dtype=np.int64)
        return Estimates(
            ids=self.ids,
            values=sums.values(),
            std_errors=sums.std_errors(),
            evaluations=sums.evaluations,
            touches=private.account.touches if private else untouched,
            epsilon=private.ledger.epsilon() if private else 0.0,
            noise_multiplier=float(private.multipliers[0]) if private else 0.0,
            entries=private.ledger.entries if private else [],
            utility_evaluations=self.module.utility_evaluations,
            cost=cost,
            by_burn_in=np.array([sums.values() for sums in self.record.further]),
        )

    def valuation(self, checkpoint: Path | None = None) -> Valuation:
        """The first replicate with standard errors over rounds, or by a bootstrap where releases are reused."""
        repeats, private = self.settings.bootstrap, self.private
        if repeats > 1 and private:
            self._reuse(private.mechanism, repeats, "valuation.bootstrap")  # refused before the work, not after it
        estimates = self.estimates(checkpoint)
        errors, freedom = estimates.std_errors[0], self.record.marginals.independent - 1
        if private and private.reuse is not None:
            errors = self.bootstrap(repeats) if repeats > 1 else np.full_like(errors, np.nan)
            freedom = repeats - 1
        return single_valuation(estimates, errors, freedom)

    def bootstrap(self, replicates: int) -> NDArray[np.float64]:
        """Standard errors [n] of the first replicate's values, from its releases; ValueError where none are reused."""
        settings, private = self.settings, self.private
        reuse = self._reuse(private.mechanism, replicates, "valuation.bootstrap") if private else None
        if private is None or private.reuse is None or reuse is None:
            raise ValueError("only a mechanism that reuses releases has them to bootstrap from")
        return bootstrap_std_errors(
            self.model,
            private.reuse.mean_releases(settings.evaluations)[0],
            self.valid,
            self.start,
            deviations=private.deviations,
            reuse=reuse,
            marginals=self._sums(replicates, self.privacy.burn_in_rounds(settings.evaluations)),
            orders=self._orders(replicates, "bootstrap"),
            replicates=replicates,
            learning_rate=settings.learning_rate,
            utility=settings.utility,
            wave=settings.wave,
            streams=self.context.streams,
            trainer=self.context.trainer,
        )
