"""Values of the clients of federated training, on private updates if wanted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from pytorch_lightning import Callback

from assay.data import PreparedData
from assay.data.owners import Parties, parties_of
from assay.learning.callbacks.record_values import RecordValues
from assay.learning.callbacks.release_party_gradients import ReleasePartyGradients
from assay.learning.callbacks.reuse_releases import ReuseReleases
from assay.learning.callbacks.save_rounds import SaveRounds
from assay.learning.callbacks.show_rounds import ShowRounds
from assay.learning.fitting import Batches, carry_out_fit, quiet
from assay.learning.initialisation import public_start
from assay.learning.marginals import MarginalSums
from assay.learning.models import Model, Shape
from assay.learning.models.party_mean import PartyMean, party_rows
from assay.learning.modules.federated_rounds import FederatedRounds
from assay.learning.participation import Participation, draw_participation
from assay.learning.trainer import Trainer
from assay.privacy.ledger import Ledger
from assay.privacy.rows.parties import Level, PartyAccount, PartySensitivity, party_sensitivity
from assay.runs.streams import Streams
from assay.valuation.gradient.estimates import Estimates, rows_of
from assay.valuation.gradient.semivalue import GradientSemivalue
from assay.valuation.semivalues import semivalue_weights
from assay.valuation.valuator import Problem, Run

ROUNDS_A_BATCH = 20


@dataclass(frozen=True)
class FederatedShapley:
    """The sum over rounds of each client's Shapley value among the participants of the round (0 in rounds without it).

    `gradient` holds learning rate, utility, start, semivalue, rounds (its evaluations) and replicates. At level=record each
    local step of a client is one release of the mean of its rows' clipped gradients; at level=client each participation is
    one release of the mean of its local steps. Guarantee: as of PartyAccount, for the client that takes part most often;
    who takes part, and how many rows a client has, is public. Replicates share the participants of each round.
    Source: Wang et al. 2020; reuse of a client's own past releases after 2412.17008 as reconstructed.
    """

    gradient: GradientSemivalue
    level: str = Level.RECORD
    fraction: float = 0.25
    sampling: str = "fixed"
    participations: int | None = None
    local_steps: int = 1
    permutations: int = 24

    def with_budget(self, evaluations: int, replicates: int) -> FederatedShapley:
        """The same for another number of rounds and replicates."""
        return replace(self, gradient=self.gradient.with_budget(evaluations, replicates))

    def participation(self, clients: int, streams: Streams) -> Participation:
        """Who takes part in which round: depends on the seed alone."""
        generator = partial(streams.generator, "participation")
        rounds = self.gradient.evaluations
        return draw_participation(clients, rounds, self.fraction, self.sampling, self.participations, generator)

    def value(
        self,
        problem: Problem,
        run: Run,
        *,
        purpose: str = "federated",
        checkpoint: Path | None = None,
    ) -> Estimates:
        """Values of the clients, once for each replicate; `extras` holds the global models reached [R, P] as "final"."""
        data, model, privacy = problem.data, problem.model, problem.privacy
        streams, trainer = run.streams, run.trainer
        torch.set_num_threads(trainer.threads)
        parties, gradient = parties_of(data.train), self.gradient
        participation = self.participation(len(parties), streams)
        sensitivity = party_sensitivity(privacy, parties.sizes, Level(self.level))
        module = self._module(data, model, streams, trainer, parties, participation, sensitivity, purpose)
        sums = MarginalSums(len(parties), gradient.replicates, privacy.burn_in_rounds(gradient.evaluations), np.ones(1))
        callbacks: list[Callback] = [RecordValues(sums)]
        release = None
        if sensitivity is not None:
            noise = privacy.noise(lambda number: streams.seed("noise", purpose, number), trainer.dtype, trainer.device)
            account = PartyAccount(privacy.budget, sensitivity, gradient.replicates)
            releases = participation.most * (self.local_steps if self.level == Level.RECORD else 1)
            sigma = privacy.budget.noise_multiplier(releases, sensitivity)
            release = ReleasePartyGradients(noise, sigma, Ledger(account), sensitivity)
            callbacks = [release, *([ReuseReleases(len(parties))] if privacy.mechanism.reuses else []), *callbacks]
        save = SaveRounds(checkpoint, trainer.checkpoint_seconds)
        done = save.resume(module, callbacks)
        run.advance(done)
        if done < gradient.evaluations:
            batches = Batches(torch.split(torch.arange(done + 1, gradient.evaluations + 1), ROUNDS_A_BATCH))
            with quiet():
                fit = trainer.build([*callbacks, ShowRounds(run.advance), save], max_epochs=1)
            carry_out_fit(fit, module, batches)
        counted = sums.evaluations
        with np.errstate(invalid="ignore"):
            values = np.where(counted > 0, sums.values() * counted, 0.0)
        return Estimates(
            ids=parties.source,
            values=values,
            std_errors=np.full_like(values, np.nan),  # rounds follow from each other
            evaluations=counted,
            touches=account.touches if release else np.zeros_like(counted),
            epsilon=release.ledger.epsilon() if release else 0.0,
            noise_multiplier=release.noise_multiplier if release else 0.0,
            entries=release.ledger.entries if release else [],
            utility_evaluations=module.utility_evaluations,
            cost=save.cost(),
            extras={"final": module.theta.double().cpu().numpy()},
        )

    def _module(
        self,
        data: PreparedData,
        spec: Model,
        streams: Streams,
        trainer: Trainer,
        parties: Parties,
        participation: Participation,
        sensitivity: PartySensitivity | None,
        purpose: str,
    ) -> FederatedRounds:
        choice = self.gradient
        model = spec.replicated(Shape.of(data))
        valid = rows_of(data.valid, trainer.dtype)
        generator = torch.Generator().manual_seed(streams.seed("initialisation"))
        return FederatedRounds(
            PartyMean(model, sensitivity),
            party_rows(data.train.features, data.train.target, parties.rows, trainer.dtype),
            parties.sizes,
            valid,
            public_start(model, choice.initialisation, valid.features, valid.target, generator),
            participation,
            partial(streams.generator, "orders", purpose),
            learning_rate=choice.learning_rate,
            local_steps=self.local_steps,
            release_each_step=self.level == Level.RECORD,
            permutations=self.permutations,
            utility=choice.utility,
            replicates=choice.replicates,
            weights=lambda count: semivalue_weights(choice.semivalue, count, choice.alpha, choice.beta),
        )
