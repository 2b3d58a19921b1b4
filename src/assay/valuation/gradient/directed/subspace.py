"""A few numbers of each row, released once, from which the values for many utilities follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assay.errors import InputError
from assay.learning.modules.permutation_pass import Rows
from assay.privacy.accounting.gaussian import epsilon_of
from assay.privacy.clipping import Clip
from assay.privacy.ledger import Ledger
from assay.privacy.relations import Sensitivity
from assay.privacy.rows.account import RowRelease
from assay.privacy.scalar_laws.gaussian import GaussianLaw
from assay.runs.cost import Meter
from assay.statistics import spearman
from assay.valuation.gradient.directed.design import DRAWS, QUANTILES, spoilt
from assay.valuation.gradient.directed.directions import (
    gradient_subspace,
    parts_by_target,
    projected_gradients,
    utility_gradients,
)
from assay.valuation.gradient.directed.estimate import DirectedRelease
from assay.valuation.gradient.estimates import Estimates
from assay.valuation.valuator import Problem, Run, Valuation
from assay.valuation.values import Values

if TYPE_CHECKING:
    from assay.privacy.rows.spec import PrivacySpec
    from assay.valuation.gradient.semivalue import GradientSemivalue


@dataclass(frozen=True, eq=False)
class Projections:
    """Released coordinates [R, n, r] of each row's mean gradient in a public basis [P, r], with noise of one deviation.

    Values for any utility are post-processing of it: no further budget is spent.
    """

    coordinates: Tensor
    basis: Tensor
    deviation: float

    def values(self, slope: Tensor) -> tuple[NDArray[np.float64], float]:
        """Values [R, n] for a utility that changes by slope [P] for each unit of a row's gradient, and their noise."""
        along = self.basis.double().T @ slope.double()
        return (self.coordinates @ along).numpy(), self.deviation * float(along.norm())


@dataclass(frozen=True, eq=False)
class ReleasedSubspace:
    """Estimates [R, n] for the valid split, with the release behind them and what public rows promised of it."""

    estimates: Estimates
    projections: Projections
    privacy: PrivacySpec
    facts: dict[str, float]


def subspace_estimates(choice: GradientSemivalue, problem: Problem, run: Run, purpose: str) -> Estimates:
    """One release of each row in each replicate; see `SubspaceRelease`."""
    return SubspaceRelease(choice, problem, run, purpose).run().estimates


def subspace_valuation(choice: GradientSemivalue, problem: Problem, run: Run) -> Valuation:
    """The first replicate as values; standard errors are those of the release's noise, not of clip and projection."""
    found = SubspaceRelease(choice, problem, run, "values").run()
    estimates = found.estimates
    values = Values(estimates.ids, estimates.values[0], estimates.std_errors[0], estimates.evaluations[0])
    return Valuation(
        values, estimates.epsilon, estimates.utility_evaluations, ledger=estimates.entries, facts=found.facts
    )


class SubspaceRelease:
    """Each row's mean gradient along public trajectories, projected on a public subspace, clipped and released once.

    The subspace [P, r] is that of the gradients of minus the mean loss along the trajectories, on the valid rows and on
    `judges`: by default the valid rows class by class, or below and above the median target. A row's value is
    ``-learning_rate * (U^T mean grad V) . z`` with its released coordinates z [r]; `values_for` gives that for other rows
    that judge, at no further cost. The nearer their direction is to the subspace, the less is lost. Raises InputError for
    the accuracy, which has no gradient, and for more dimensions than the model has parameters.

    Guarantee: (epsilon, delta)-DP for each row under the budget's relation, whatever is computed from the release: one
    Gaussian mechanism of L2 sensitivity s C and deviation s C / mu. Subspace and clip C are functions of public rows, and
    given these a row's coordinates depend on that row alone; the slot of a row that is not there publishes noise about 0.
    [derived]
    """

    def __init__(
        self, choice: GradientSemivalue, problem: Problem, run: Run, purpose: str, judges: Sequence[Rows] | None = None
    ) -> None:
        if choice.utility != "negative_loss":
            told = "has no gradient, along which privacy=directed_subspace could project"
            raise InputError("valuation.utility", choice.utility, told, "use valuation.utility=negative_loss")
        self.along = DirectedRelease(choice, problem, run, purpose)
        self.choice, self.problem, self.context, self.purpose = choice, problem, run, purpose
        self.model, self.valid = self.along.model, self.along.valid
        dimensions = problem.privacy.dimensions
        if dimensions > self.model.parameter_count:
            told = f"the model has {self.model.parameter_count} parameters"
            raise InputError("privacy.dimensions", dimensions, told, "use fewer, or privacy=vector_release")
        parts = parts_by_target(self.valid, len(problem.data.classes)) if judges is None else judges
        self.paths = self.along.public_paths()
        gradients = [utility_gradients(self.model, self.paths, rows) for rows in (self.valid, *parts)]
        self.basis = gradient_subspace(gradients, dimensions)
        self.slopes = [-choice.learning_rate * each.mean(0) for each in gradients]
        clip, self.expected_spearman = self._public_clip()
        self.privacy = problem.privacy.with_max_grad_norm(clip)
        self.ledger: Ledger[Any] = Ledger(self.privacy.open_account(len(self.along.train), choice.replicates))

    def coordinates(self, rows: Rows) -> Tensor:
        """Coordinates [n, r] of rows before clip and noise: not private."""
        return projected_gradients(self.model, self.paths.flatten(0, 1), rows, self.basis).cpu()

    def slope(self, judges: Rows) -> Tensor:
        """Change of minus the mean loss on `judges` for each unit of a row's gradient [P]; public."""
        return -self.choice.learning_rate * utility_gradients(self.model, self.paths, judges).mean(0).cpu()

    def _public_clip(self) -> tuple[float, float]:
        """The clip whose simulated releases rank public rows best, and their Spearman correlation in the mean of utilities."""
        privacy, generator = self.problem.privacy, self.context.streams.generator("design", self.purpose)
        wrong = spoilt(self.valid, len(self.problem.data.classes), generator)
        public = torch.cat([self.coordinates(rows) for rows in (self.valid, wrong)])
        slopes = torch.stack([each.cpu() for each in self.slopes]).double() @ self.basis.cpu().double()
        sizes = public.norm(dim=1)
        clips = [privacy.clip] if privacy.clip is not None else [float(torch.quantile(sizes, q)) for q in QUANTILES]
        noise = torch.from_numpy(generator.standard_normal((DRAWS, *public.shape))) * privacy.noise_multiplier(1)
        truth, scores = (public @ slopes.T).numpy(), {}
        for clip in sorted({each for each in clips if each > 0}) or [1.0]:
            found = ((Clip(Sensitivity(clip, privacy.budget.relation))(public) + clip * noise) @ slopes.T).numpy()
            scores[clip] = float(np.mean([spearman(found[..., u], truth[:, u]) for u in range(truth.shape[1])]))
        return max(scores.items(), key=lambda scored: scored[1])

    def run(self) -> ReleasedSubspace:
        """Coordinates, account, noise, values: in this order."""
        meter, replicates, rows = Meter(), self.choice.replicates, len(self.along.train)
        exact = self.coordinates(self.along.train)
        law = GaussianLaw(self.privacy.budget.mu, self.privacy.budget.relation)
        multiplier = law.deviation
        for row in range(rows):
            self.ledger.charge(RowRelease(np.full(replicates, row), multiplier))
        noise = self.privacy.noise(
            lambda number: self.context.streams.seed("noise", self.purpose, number), torch.float64
        )
        norm = self.privacy.max_grad_norm
        self.ledger.note(
            what="coordinates", clip=norm, dimensions=exact.shape[1], noise_multiplier=multiplier, secure=noise.secure
        )
        draw = noise.open_round(1)
        bounded, shape = Clip(self.privacy.sensitivity)(exact) / norm, (replicates, *exact.shape)
        released = law.release(bounded, draw(shape), torch.empty(0)) * norm
        projections = Projections(released, self.basis.cpu(), multiplier * norm)
        values, error = projections.values(self.slopes[0].cpu())
        self.context.advance(self.choice.evaluations)
        places = self.paths.shape[0] * self.paths.shape[1]
        estimates = Estimates(
            ids=self.problem.data.train.ids,
            values=values,
            std_errors=np.full_like(values, error),
            evaluations=np.full(values.shape, places, dtype=np.int64),
            touches=self.ledger.account.touches,  # type: ignore[attr-defined]
            epsilon=self.ledger.epsilon(),
            noise_multiplier=multiplier,
            entries=self.ledger.entries,
            utility_evaluations=places * len(self.slopes),
            cost=meter.cost(),
        )
        return ReleasedSubspace(estimates, projections, self.privacy, self._facts())

    def _facts(self) -> dict[str, float]:
        slope, budget = self.slopes[0], self.privacy.budget
        kept = float((self.basis.T @ slope).norm() / slope.norm().clamp(min=torch.finfo(slope.dtype).tiny))
        return {
            "release/clip": self.privacy.max_grad_norm,
            "release/expected_spearman": self.expected_spearman,
            "release/share_of_direction": kept,
            "release/epsilon_of_a_changed_record": epsilon_of(2 * budget.mu / budget.relation.factor, budget.delta),
        }
