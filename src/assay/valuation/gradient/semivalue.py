"""Semivalues whose training is a one-pass SGD prefix, on private gradients if wanted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.privacy.rows.mechanisms import Mechanism
from assay.valuation.gradient.directed import (
    directed_estimates,
    directed_valuation,
    subspace_estimates,
    subspace_valuation,
)
from assay.valuation.gradient.estimates import Estimates, Subtables
from assay.valuation.gradient.permutation_fit import PermutationFit
from assay.valuation.gradient.vector_release import VectorRelease
from assay.valuation.valuator import Problem, Run, Valuation
from assay.valuation.values import Values


@dataclass(frozen=True)
class GradientSemivalue:
    """Semivalues by one-pass SGD (G-Shapley), each row met once in each of `evaluations` permutations.

    With a private mechanism each meeting is one clipped and noised release of the row's gradient, so that a row is touched
    exactly `evaluations` times; values are computed from the releases and from the public valid split alone.

    `permutations`: plain, or antithetic: every second permutation is the one before from its end, and standard errors are
    taken over the pairs, which are independent where rounds are not. `wave` permutations are walked at the same time as
    further lanes of a batch. Without reuse of releases that changes no value; with it a step combines the releases of
    earlier waves with its own, so that its noise variance in wave b is 1/(wave (b - 1) + 1) of a release's and not 1/t.
    Each round still makes one release of each row, with the noise of its number and entered in the account by itself.
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
    permutations: str = "plain"
    wave: int = 1
    replicates: int = 1
    name: str = "gradient_semivalue"

    @property
    def antithetic(self) -> bool:
        """Whether permutations come in pairs, one the reverse of the other."""
        return self.permutations == "antithetic"

    def with_budget(self, evaluations: int, replicates: int) -> GradientSemivalue:
        """The same valuator for another number of evaluations and replicates."""
        return replace(self, evaluations=evaluations, replicates=replicates)

    def valuate(self, problem: Problem, run: Run) -> Valuation:
        """One estimate with standard errors: over rounds where they are independent, by a bootstrap where releases are reused.

        Raises InputError for a model without per-row gradients or one that does not fit the target.
        """
        privacy, checkpoint = problem.privacy, run.parts.file("values.pt")
        single = replace(self, replicates=1)
        if privacy.mechanism is Mechanism.DIRECTED_SUBSPACE:
            return subspace_valuation(single, problem, run)
        if privacy.mechanism.directed:
            return directed_valuation(single, problem, run)
        if privacy.mechanism is Mechanism.VECTOR_RELEASE:
            found = VectorRelease(single, problem, run, "values").run(checkpoint, redraws=self.bootstrap)
            freedom = (self.bootstrap if self.utility == "accuracy" else self.evaluations) - 1
            return _valuation(found, found.std_errors[0], freedom)
        fit = PermutationFit(single, problem, run, "values")
        if self.bootstrap > 1:
            fit.check_bootstrap(self.bootstrap)
        found = fit.run(checkpoint)
        errors, freedom = found.std_errors[0], fit.record.marginals.independent - 1
        if fit.reuse is not None:
            errors = fit.bootstrap(self.bootstrap) if self.bootstrap > 1 else np.full_like(errors, np.nan)
            freedom = self.bootstrap - 1
        return _valuation(found, errors, freedom)

    def value(
        self,
        problem: Problem,
        run: Run,
        *,
        purpose: str = "values",
        checkpoint: Path | None = None,
        burn_ins: Sequence[float] = (),
        subtables: Subtables | None = None,
    ) -> Estimates:
        """Values of the train split, once for each replicate.

        `purpose` names the random streams, `checkpoint` the file to save to and resume from. `burn_ins` are further burn-ins,
        as shares of the evaluations or numbers of them, whose values come from the same rounds; `subtables` gives every
        replicate a table of its own, and rows outside it the value NaN. Raises InputError for a model without per-row
        gradients or one that does not fit the target.
        """
        privacy = problem.privacy
        if privacy.mechanism.one_release and (burn_ins or subtables is not None):
            raise ValueError(f"{privacy.name} makes one release, which has neither burn-ins nor subtables")
        if privacy.mechanism is Mechanism.DIRECTED_SUBSPACE:
            return subspace_estimates(self, problem, run, purpose)
        if privacy.mechanism.directed:
            return directed_estimates(self, problem, run, purpose)
        if privacy.mechanism is Mechanism.VECTOR_RELEASE:
            return VectorRelease(self, problem, run, purpose).run(checkpoint)
        return PermutationFit(self, problem, run, purpose, burn_ins, subtables).run(checkpoint)


def _valuation(found: Estimates, errors: NDArray[np.float64], freedom: int) -> Valuation:
    values = Values(found.ids, found.values[0], errors, found.evaluations[0], freedom)
    epsilon = found.epsilon if found.entries else math.inf
    return Valuation(values, epsilon, found.utility_evaluations, ledger=found.entries)
