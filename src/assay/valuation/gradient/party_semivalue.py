"""Semivalues of whole parties (data owners) by one-pass SGD, on private gradients if wanted."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from assay.data.owners import parties_of
from assay.privacy.rows.parties import Level
from assay.valuation.gradient.estimates import Estimates
from assay.valuation.gradient.party_fit import PartyFit
from assay.valuation.gradient.semivalue import GradientSemivalue
from assay.valuation.valuator import Problem, Run, Valuation
from assay.valuation.values import Values


@dataclass(frozen=True)
class PartySemivalue:
    """Gradient semivalues whose players are the sources of the train split; `gradient` holds every other choice.

    In each permutation of the parties a party makes one step, along the mean of its rows' clipped gradients: each record is
    touched once a permutation. Guarantee: (epsilon, delta)-DP for each record (level=record) or for each party with all of
    its records (level=client). How many rows a party has, and which, is public at either level.
    Source: 2412.17008 as reconstructed, with data sets in the place of points.
    """

    gradient: GradientSemivalue
    level: str = Level.RECORD

    @property
    def evaluations(self) -> int:
        """Permutations of the parties."""
        return self.gradient.evaluations

    def with_budget(self, evaluations: int, replicates: int) -> PartySemivalue:
        """The same for another number of evaluations and replicates."""
        return replace(self, gradient=self.gradient.with_budget(evaluations, replicates))

    def valuate(self, problem: Problem, run: Run) -> Valuation:
        """One estimate with standard errors, as GradientSemivalue gives them; raises InputError without sources."""
        privacy, checkpoint = problem.privacy, run.parts.file("parties.pt")
        single = self.with_budget(self.evaluations, 1)
        fit = single._fit(problem, run, "parties")
        found = fit.run(checkpoint)
        errors, freedom, repeats = found.std_errors[0], int(found.evaluations[0, 0]) - 1, self.gradient.bootstrap
        if fit.reuse is not None:
            errors = fit.bootstrap(repeats) if repeats > 1 else np.full_like(errors, np.nan)
            freedom = repeats - 1
        values = Values(found.ids, found.values[0], errors, found.evaluations[0], freedom)
        epsilon = found.epsilon if privacy.mechanism.private else math.inf
        return Valuation(values, epsilon, found.utility_evaluations, ledger=found.entries)

    def value(
        self,
        problem: Problem,
        run: Run,
        *,
        purpose: str = "parties",
        checkpoint: Path | None = None,
    ) -> Estimates:
        """Values of the parties, once for each replicate; arguments as in GradientSemivalue.value."""
        return self._fit(problem, run, purpose).run(checkpoint)

    def _fit(self, problem: Problem, run: Run, purpose: str) -> PartyFit:
        return PartyFit(self.gradient, Level(self.level), parties_of(problem.data.train), problem, run, purpose)
