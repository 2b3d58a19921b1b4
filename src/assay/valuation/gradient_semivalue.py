"""Semivalues whose training is a one-pass SGD prefix, on private gradients if wanted."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from assay.data import PreparedData
from assay.learning.models import ModelSpec
from assay.learning.trainers import TrainerSpec
from assay.privacy.spec import PrivacySpec
from assay.runs.streams import Streams
from assay.valuation.directed import directed_estimates, directed_valuation
from assay.valuation.estimates import Estimates, Problem
from assay.valuation.permutation_fit import PermutationFit
from assay.valuation.valuator import Surroundings, Valuation
from assay.valuation.values import Values


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
        problem = Problem(data, model, privacy, surroundings.streams, surroundings.trainer)
        if privacy.mechanism.directed:
            return directed_valuation(single, problem, surroundings.advance)
        fit = PermutationFit(single, problem, "values")
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
    ) -> Estimates:
        """Values of the train split, once for each replicate.

        `purpose` names the random streams, `checkpoint` the file to save to and resume from, `advance` is told of finished
        rounds. Raises InputError for a model without per-row gradients or one that does not fit the target.
        """
        problem = Problem(data, model, privacy, streams, trainer)
        if privacy.mechanism.directed:
            return directed_estimates(self, problem, purpose, advance)
        return PermutationFit(self, problem, purpose).run(checkpoint, advance)
