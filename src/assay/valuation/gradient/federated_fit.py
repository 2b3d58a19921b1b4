"""Federated training with the contributions of its clients."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from pytorch_lightning import Callback

from assay.data.owners import Parties, parties_of
from assay.learning.callbacks.record_values import RecordValues
from assay.learning.callbacks.save_rounds import SaveRounds
from assay.learning.callbacks.show_rounds import ShowRounds
from assay.learning.fitting import Batches, carry_out_fit, quiet
from assay.learning.initialisation import public_start
from assay.learning.marginals import MarginalSums
from assay.learning.models import Shape
from assay.learning.models.party_mean import PartyMean, party_rows
from assay.learning.modules.federated_rounds import FederatedRounds
from assay.learning.participation import Participation
from assay.privacy.option import Budgeted
from assay.privacy.rows.parties import Level, PartySensitivity, party_sensitivity
from assay.valuation.estimates import Estimates
from assay.valuation.gradient.estimates import rows_of
from assay.valuation.gradient.party_settings import FederatedSettings
from assay.valuation.gradient.private_parties import PrivateParties
from assay.valuation.valuator import Problem, Run

if TYPE_CHECKING:
    from assay.arrays import Floats
    from assay.data import Arrays

ROUNDS_A_BATCH = 20


def federated_estimates(
    settings: FederatedSettings, problem: Problem, run: Run, replicates: int, purpose: str, checkpoint: Path | None
) -> Estimates:
    """Values of the clients, once for each replicate; carries out the rounds that are not yet done."""
    torch.set_num_threads(run.trainer.threads)
    parties, privacy, rounds = parties_of(problem.data.train), problem.privacy, settings.evaluations
    participation = settings.participation(len(parties), run.streams)
    sensitivity = party_sensitivity(privacy, parties.sizes, Level(settings.level))
    module = _module(settings, problem, run, parties, participation, sensitivity, replicates, purpose)
    sums = MarginalSums(len(parties), replicates, privacy.burn_in_rounds(rounds), np.ones(1))
    private: PrivateParties | None = None
    if sensitivity is not None and isinstance(privacy, Budgeted):
        releases = participation.most * (settings.local_steps if settings.releases_each_step else 1)
        private = PrivateParties(privacy, sensitivity, parties, run, purpose, releases=releases, replicates=replicates)
    callbacks: list[Callback] = [*(private.callbacks if private else []), RecordValues(sums)]
    save = SaveRounds(checkpoint, run.trainer.checkpoint_seconds)
    done = save.resume(module, callbacks)
    run.advance(done)
    if done < rounds:
        batches = Batches(torch.split(torch.arange(done + 1, rounds + 1), ROUNDS_A_BATCH))
        with quiet():
            fit = run.trainer.build([*callbacks, ShowRounds(run.advance), save], max_epochs=1)
        carry_out_fit(fit, module, batches)
    counted = sums.evaluations
    with np.errstate(invalid="ignore"):
        values = np.where(counted > 0, sums.values() * counted, 0.0)
    return Estimates(
        ids=parties.source,
        values=values,
        std_errors=np.full_like(values, np.nan),  # rounds follow from each other
        evaluations=counted,
        touches=private.account.touches if private else np.zeros_like(counted),
        epsilon=private.ledger.epsilon() if private else 0.0,
        noise_multiplier=private.release.noise_multiplier if private else 0.0,
        entries=private.ledger.entries if private else [],
        utility_evaluations=module.utility_evaluations,
        cost=save.cost(),
        extras={"final": module.theta.double().cpu().numpy()},
    )


def _module(
    settings: FederatedSettings,
    problem: Problem,
    run: Run,
    parties: Parties,
    participation: Participation,
    sensitivity: PartySensitivity | None,
    replicates: int,
    purpose: str,
) -> FederatedRounds:
    data, model = problem.data, problem.model.replicated(Shape.of(problem.data))
    valid = rows_of(data.valid, run.trainer.dtype)
    generator = torch.Generator().manual_seed(run.streams.seed("initialisation"))
    return FederatedRounds(
        PartyMean(model, sensitivity),
        party_rows(data.train.features, data.train.target, parties.rows, run.trainer.dtype),
        parties.sizes,
        valid,
        public_start(model, settings.initialisation, valid.features, valid.target, generator),
        participation,
        partial(run.streams.generator, "orders", purpose),
        learning_rate=settings.learning_rate,
        local_steps=settings.local_steps,
        release_each_step=settings.releases_each_step,
        permutations=settings.permutations,
        utility=settings.utility,
        replicates=replicates,
        weights=settings.weights,
    )


def model_scores(final: Floats, problem: Problem, part: Arrays) -> dict[str, Floats]:
    """Mean loss [R], and accuracy [R] of classification, of models [R, P] on a split."""
    model, rows = problem.model.replicated(Shape.of(problem.data)), rows_of(part, torch.float64)
    outputs = model.outputs(torch.from_numpy(np.asarray(final)), rows.features)
    scores = {"loss": model.head.loss(outputs, rows.target)}
    if problem.data.kind == "classification":
        scores["accuracy"] = model.head.correct(outputs, rows.target)
    return {name: score.mean(-1).numpy() for name, score in scores.items()}
