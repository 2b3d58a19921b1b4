"""Semivalues whose training is a one-pass SGD prefix, on private gradients if wanted."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import Callback

from assay.data import PreparedData
from assay.learning.callbacks.clip_row_gradients import ClipRowGradients
from assay.learning.callbacks.record_values import RecordValues
from assay.learning.callbacks.release_gradients import ReleaseGradients
from assay.learning.callbacks.reuse_releases import ReuseReleases
from assay.learning.callbacks.save_rounds import SaveRounds
from assay.learning.callbacks.show_rounds import ShowRounds
from assay.learning.initialisation import public_start
from assay.learning.marginals import MarginalSums
from assay.learning.models import ModelSpec, build_model
from assay.learning.modules.permutation_pass import PermutationPass, Rows
from assay.learning.trainers import Batches, TrainerSpec, carry_out_fit, quiet
from assay.privacy.ledger import Ledger
from assay.privacy.row_account import RowAccount
from assay.privacy.spec import PrivacySpec
from assay.runs.cost import Cost
from assay.runs.streams import Streams
from assay.valuation.permutations import Orders, random_orders
from assay.valuation.release_bootstrap import bootstrap_std_errors
from assay.valuation.semivalues import semivalue_weights
from assay.valuation.valuator import Surroundings, Valuation
from assay.valuation.values import Values

STEPS_A_BATCH = 1_000  # enough work that the Trainer's own time between batches does not show


@dataclass(frozen=True, eq=False)
class GradientValues:
    """Values of all replicates [R, n] and how they were come by.

    touches [R, n] counts the private releases of each row (zeros without privacy); epsilon is recomputed from them (0
    without privacy); entries is the ledger's record.
    """

    ids: NDArray[np.int64]
    values: NDArray[np.float64]
    std_errors: NDArray[np.float64]
    evaluations: NDArray[np.int64]
    touches: NDArray[np.int64]
    epsilon: float
    noise_multiplier: float
    entries: list[dict[str, Any]]
    utility_evaluations: int
    cost: Cost


@dataclass(frozen=True)
class GradientSemivalue:
    """Semivalues by one-pass SGD (G-Shapley), each row met once in each of `evaluations` permutations.

    With a private mechanism each meeting is one clipped and noised release of the row's gradient, so that a row is touched
    exactly `evaluations` times; values are computed from the releases and from the public valid split alone.
    Source: Ghorbani & Zou 2019; 2412.17008 as reconstructed.
    """

    semivalue: str = "shapley"
    alpha: float = 1.0
    beta: float = 1.0
    evaluations: int = 40
    learning_rate: float = 0.05
    utility: str = "negative_loss"
    initialisation: str = "auto"
    bootstrap: int = 24
    replicates: int = 1
    name: str = "gradient_semivalue"

    def with_budget(self, evaluations: int, replicates: int) -> GradientSemivalue:
        """The same valuator for another number of evaluations and replicates."""
        return replace(self, evaluations=evaluations, replicates=replicates)

    def valuate(
        self, data: PreparedData, model: ModelSpec, privacy: PrivacySpec, surroundings: Surroundings
    ) -> Valuation:
        """One estimate with standard errors: over rounds where they are independent, by a bootstrap where releases are reused.

        Raises InputError for a model without per-row gradients or one that does not fit the target.
        """
        checkpoint = surroundings.scratch / "values.pt" if surroundings.scratch is not None else None
        single = replace(self, replicates=1)
        fit = _Fit(single, data, model, privacy, surroundings.streams, surroundings.trainer, "values")
        found = fit.run(checkpoint, surroundings.advance)
        errors, freedom = found.std_errors[0], int(found.evaluations[0, 0]) - 1
        if fit.reuse is not None:
            errors = fit.bootstrap(self.bootstrap) if self.bootstrap > 1 else np.full_like(errors, np.nan)
            freedom = self.bootstrap - 1
        values = Values(found.ids, found.values[0], errors, found.evaluations[0], freedom)
        epsilon = found.epsilon if privacy.mechanism.private else math.inf
        return Valuation(values, epsilon, found.utility_evaluations, ledger=found.entries)

    def value(
        self,
        data: PreparedData,
        model: ModelSpec,
        privacy: PrivacySpec,
        streams: Streams,
        trainer: TrainerSpec,
        *,
        purpose: str = "values",
        checkpoint: Path | None = None,
        advance: Callable[[int], object] = lambda rounds: None,
    ) -> GradientValues:
        """Values of the train split, once for each replicate.

        `purpose` names the random streams, `checkpoint` the file to save to and resume from, `advance` is told of finished
        rounds. Raises InputError for a model without per-row gradients or one that does not fit the target.
        """
        return _Fit(self, data, model, privacy, streams, trainer, purpose).run(checkpoint, advance)


class _Fit:
    """The module and callbacks of one estimate, built from its choices."""

    def __init__(
        self,
        choice: GradientSemivalue,
        data: PreparedData,
        model: ModelSpec,
        privacy: PrivacySpec,
        streams: Streams,
        trainer: TrainerSpec,
        purpose: str,
    ) -> None:
        torch.set_num_threads(trainer.threads)  # the start too is computed, and must not depend on what ran before
        self.choice, self.privacy, self.streams, self.trainer = choice, privacy, streams, trainer
        self.ids, self.rows, replicates, dtype = data.train.ids, len(data.train), choice.replicates, trainer.dtype
        features = data.train.features.shape[1]
        classes, modality = len(data.classes), data.modality
        self.model = build_model(model, kind=data.kind, classes=classes, features=features, modality=modality)
        self.valid = _rows(data.valid, dtype)
        generator = torch.Generator().manual_seed(streams.seed("initialisation"))
        start_from = (choice.initialisation, self.valid.features, self.valid.target)
        self.start = public_start(self.model, *start_from, generator)
        self.module = self._module(_rows(data.train, dtype), random_orders(streams, self.rows, replicates, purpose))
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

    def run(self, checkpoint: Path | None, advance: Callable[[int], object]) -> GradientValues:
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

    def _found(self, cost: Cost) -> GradientValues:
        sums, ledger = self.record.marginals, self.release.ledger if self.release else None
        return GradientValues(
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


def _rows(split: Any, dtype: torch.dtype) -> Rows:
    return Rows(torch.tensor(split.features, dtype=dtype), torch.tensor(split.target, dtype=dtype))
