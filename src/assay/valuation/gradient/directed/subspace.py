"""A few numbers of each row, released once, from which the values for many utilities follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

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
from assay.privacy.rows.directed_subspace import DirectedSubspace, no_gradient
from assay.privacy.scalar_laws.gaussian import GaussianLaw
from assay.runs.cost import Meter
from assay.statistics import spearman
from assay.valuation.estimates import Estimates
from assay.valuation.gradient.directed.design import DRAWS, QUANTILES, mislabelled
from assay.valuation.gradient.directed.directions import (
    gradient_subspace,
    parts_by_target,
    projected_gradients,
    utility_gradients,
)
from assay.valuation.gradient.directed.trajectories import PublicTrajectories
from assay.valuation.gradient.estimates import single_valuation
from assay.valuation.gradient.settings import GradientSettings
from assay.valuation.valuator import Problem, Run, Valuation


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
    """Estimates [R, n] for the valid split, with the release behind them and public rows' promise of it."""

    estimates: Estimates
    projections: Projections
    facts: dict[str, float]


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
        self,
        settings: GradientSettings,
        problem: Problem,
        run: Run,
        purpose: str,
        replicates: int = 1,
        *,
        judges: Sequence[Rows] | None = None,
    ) -> None:
        privacy = problem.privacy
        if not isinstance(privacy, DirectedSubspace):
            raise TypeError(f"privacy={privacy.name}: releases no projection of a row")
        if settings.utility != "negative_loss":
            raise no_gradient(privacy.name, settings.utility)
        self.settings, self.problem, self.context, self.purpose = settings, problem, run, purpose
        self.privacy, self.replicates = privacy, replicates
        along = PublicTrajectories(settings, problem, run)
        self.model, self.train, self.valid = along.model, along.train, along.valid
        if privacy.dimensions > self.model.parameter_count:
            limit = f"the model has {self.model.parameter_count} parameters"
            raise InputError("privacy.dimensions", privacy.dimensions, limit, "use fewer, or privacy=vector_release")
        parts = parts_by_target(self.valid, len(problem.data.classes)) if judges is None else judges
        self.paths = along.thetas(privacy.paths)
        gradients = [utility_gradients(self.model, self.paths, rows) for rows in (self.valid, *parts)]
        self.basis = gradient_subspace(gradients, privacy.dimensions)
        self.slopes = [-settings.learning_rate * each.mean(0) for each in gradients]
        clip, self.noise_spearman = self._public_clip()
        self.sensitivity = Sensitivity(clip, privacy.budget.relation)
        account = privacy.open_account(self.sensitivity, len(self.train), replicates)
        self.ledger: Ledger[Any] = privacy.open_ledger(account)

    def estimates(self, checkpoint: Path | None = None) -> Estimates:
        """Values of all replicates; there is no work to lose."""
        return self.run().estimates

    def valuation(self, checkpoint: Path | None = None) -> Valuation:
        """The first replicate; standard errors are those of the release's noise, not of clip and projection."""
        released = self.run()
        single = single_valuation(released.estimates, released.estimates.std_errors[0])
        return replace(single, facts=released.facts)

    def coordinates(self, rows: Rows) -> Tensor:
        """Coordinates [n, r] of rows before clip and noise: not private."""
        return projected_gradients(self.model, self.paths.flatten(0, 1), rows, self.basis).cpu()

    def slope(self, judges: Rows) -> Tensor:
        """Change of minus the mean loss on `judges` for each unit of a row's gradient [P]; public."""
        return -self.settings.learning_rate * utility_gradients(self.model, self.paths, judges).mean(0).cpu()

    def _public_clip(self) -> tuple[float, float]:
        """The clip whose simulated releases rank public rows best, and their Spearman correlation in the mean of utilities."""
        privacy, generator = self.privacy, self.context.streams.generator("design", self.purpose)
        wrong = mislabelled(self.valid, len(self.problem.data.classes), generator)
        public = torch.cat([self.coordinates(rows) for rows in (self.valid, wrong)])
        slopes = torch.stack([each.cpu() for each in self.slopes]).double() @ self.basis.cpu().double()
        sizes, relation = public.norm(dim=1), privacy.budget.relation
        clips = [privacy.clip] if privacy.clip is not None else [float(torch.quantile(sizes, q)) for q in QUANTILES]
        multiplier = privacy.budget.noise_multiplier(1, Sensitivity(1.0, relation))
        noise = torch.from_numpy(generator.standard_normal((DRAWS, *public.shape))) * multiplier
        truth, scores = (public @ slopes.T).numpy(), {}
        for clip in sorted({each for each in clips if each > 0}) or [1.0]:
            drawn = ((Clip(Sensitivity(clip, relation))(public) + clip * noise) @ slopes.T).numpy()
            scores[clip] = float(np.mean([spearman(drawn[..., u], truth[:, u]) for u in range(truth.shape[1])]))
        return max(scores.items(), key=lambda scored: scored[1])

    def run(self) -> ReleasedSubspace:
        """Coordinates, account, noise, values: in this order."""
        meter, replicates, rows, norm = Meter(), self.replicates, len(self.train), self.sensitivity.max_grad_norm
        exact = self.coordinates(self.train)
        law = GaussianLaw.spending(self.privacy.budget)
        for row in range(rows):
            self.ledger.charge(RowRelease(np.full(replicates, row), law.deviation))
        noise = self.privacy.noise(partial(self.context.streams.seed, "noise", self.purpose), torch.float64)
        facts = {"clip": norm, "dimensions": exact.shape[1], "noise_multiplier": law.deviation}
        self.ledger.note(noise=noise.kind, what="coordinates", **facts)
        draw = noise.open_round(1)
        bounded, shape = Clip(self.sensitivity)(exact) / norm, (replicates, *exact.shape)
        released = law.release(bounded, draw(shape), torch.empty(0)) * norm
        projections = Projections(released, self.basis.cpu(), law.deviation * norm)
        values, error = projections.values(self.slopes[0].cpu())
        self.context.advance(self.settings.evaluations)
        places = self.paths.shape[0] * self.paths.shape[1]
        estimates = Estimates(
            ids=self.problem.data.train.ids,
            values=values,
            std_errors=np.full_like(values, error),
            evaluations=np.full(values.shape, places, dtype=np.int64),
            touches=self.ledger.account.touches,  # type: ignore[attr-defined]
            epsilon=self.ledger.epsilon(),
            noise_multiplier=law.deviation,
            entries=self.ledger.entries,
            utility_evaluations=places * len(self.slopes),
            cost=meter.cost(),
        )
        return ReleasedSubspace(estimates, projections, self._facts())

    def _facts(self) -> dict[str, float]:
        slope, budget = self.slopes[0], self.privacy.budget
        share = float((self.basis.T @ slope).norm() / slope.norm().clamp(min=torch.finfo(slope.dtype).tiny))
        return {
            "release/clip": self.sensitivity.max_grad_norm,
            "release/noise_spearman": self.noise_spearman,
            "release/share_of_direction": share,
            "release/epsilon_of_a_changed_record": epsilon_of(2 * budget.mu / budget.relation.factor, budget.delta),
        }
