"""Directed estimates: from a problem to released values with their account."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assay.learning.modules.permutation_pass import Rows
from assay.privacy.accounting.gaussian import epsilon_of
from assay.privacy.clipping import Clip, clipped_numbers
from assay.privacy.ledger import Ledger
from assay.privacy.relations import Relation, Sensitivity
from assay.privacy.rows.numbers import PrivatePath, RowNumber
from assay.privacy.rows.pure_account import PureRelease
from assay.runs.cost import Meter
from assay.valuation.estimates import Estimates
from assay.valuation.gradient.directed.calibrated import calibrated
from assay.valuation.gradient.directed.design import Design, choose_design, mislabelled
from assay.valuation.gradient.directed.paths import (
    POSITIONS,
    MeanGradientPath,
    at_positions,
    mean_gradient_path,
    spread,
)
from assay.valuation.gradient.directed.released import Released
from assay.valuation.gradient.directed.row_effects import mean_contributions
from assay.valuation.gradient.directed.trajectories import PublicTrajectories
from assay.valuation.gradient.estimates import single_valuation
from assay.valuation.gradient.public_norm import public_norm
from assay.valuation.gradient.settings import GradientSettings
from assay.valuation.valuator import Problem, Run, Valuation

if TYPE_CHECKING:
    from pathlib import Path

    from assay.privacy.noise.sources import NoiseSource


SIGNED_FROM = 4.0  # epsilon below which no method can tell signs of single rows


def changed_record_epsilon(privacy: RowNumber, design: Design) -> float:
    """Epsilon at which a record that is changed into any other is protected, the private path included."""
    path, spent = privacy.path, 0.0
    if path is not None:
        zero_out = path.budget.relation is Relation.ZERO_OUT
        spent = epsilon_of(2 * path.budget.mu, privacy.delta) if zero_out else path.budget.epsilon
    return design.law.changed_record_epsilon(privacy.delta) + spent


class DirectedRelease:
    """Values along trajectories that reveal no row, clipped to one number each and released once.

    Public by assumption: the valid split, the model, the learning rate and the number of rows. Trajectories are SGD over
    permutations of the valid rows, or of the rows `public` that stand for them in trajectories and design; `judges` stand
    for them in the utility. A `ledger` that is common to several such releases may be handed in. With `path_share` they
    follow a private mean gradient of the train rows instead, with the public trajectories' spread about it, so that what
    the rows have in common is seen; that share of epsilon and all of delta go to the path. Given the trajectories a row's
    value depends on that row alone, its clipped value has sensitivity `relation.factor` times the clip, and rows are
    disjoint data.

    Guarantee: the published values are (epsilon, delta)-DP for each row under the budget's relation, with delta = 0 for a
    pure law on public trajectories. Law and clip are functions of public rows. [derived]
    """

    def __init__(
        self,
        settings: GradientSettings,
        problem: Problem,
        run: Run,
        purpose: str,
        replicates: int = 1,
        *,
        public: Rows | None = None,
        judges: Rows | None = None,
        ledger: Ledger[Any] | None = None,
    ) -> None:
        privacy = problem.privacy
        if not isinstance(privacy, RowNumber):
            raise TypeError(f"privacy={privacy.name}: releases no number of a row")
        self.settings, self.problem, self.context, self.purpose = settings, problem, run, purpose
        self.privacy, self.replicates = privacy, replicates
        self.along = PublicTrajectories(settings, problem, run, public)
        self.model, self.train, self.valid = self.along.model, self.along.train, self.along.valid
        self.public, self.judges = self.along.public, judges or self.valid
        self.evaluations = 0
        if ledger is None:
            ledger = privacy.open_ledger(privacy.open_account(len(self.train), replicates))
        self.ledger: Ledger[Any] = ledger

    def estimates(self, checkpoint: Path | None = None) -> Estimates:
        """Values of all replicates; there is no work to lose."""
        return self.run().estimates

    def valuation(self, checkpoint: Path | None = None) -> Valuation:
        """The first replicate: calibrated by stand-ins, with prediction intervals; without them, with those of the noise."""
        released = self.run()
        estimates, design = released.estimates, released.design
        single = single_valuation(estimates, estimates.std_errors[0])
        half = np.full_like(estimates.values[0], design.law.half_width * design.clip)
        facts = {
            "release/clip": design.clip,
            "release/noise_spearman": design.noise_spearman,
            "release/epsilon_of_a_changed_record": changed_record_epsilon(self.privacy, design),
        }
        if not self.privacy.stand_ins:
            return replace(single, values=replace(single.values, half_width=half), facts=facts, signs=False)
        known = calibrated(self, released, self.privacy.stand_ins)
        values = replace(
            single.values,
            value=known.values,
            std_error=single.values.std_error * known.scale,
            half_width=half * known.scale,
            prediction=(known.low, known.high),
        )
        signs = released.points is not None and self.privacy.epsilon >= SIGNED_FROM
        spent = self.evaluations
        return replace(single, values=values, utility_evaluations=spent, facts=facts | dict(known.facts), signs=signs)

    def run(self) -> Released:
        """Trajectories, design, values, account, noise: in this order."""
        meter, streams, replicates = Meter(), self.context.streams, self.replicates
        public = self.along.thetas(self.privacy.paths)
        design = self.design(public)
        seed_of = partial(streams.seed, "noise", self.purpose)
        noise = self.privacy.noise(seed_of, torch.float64, self.context.trainer.device)
        descent, points = None, None
        if self.privacy.path is None:
            exact = self.exact_values(self.train, public).expand(replicates, -1)
        else:
            descent = self._descent(self.privacy.path)
            self.ledger.note(
                noise=noise.kind, what="mean gradient path", steps=descent.steps, max_grad_norm=descent.norm
            )
            draw, shape = noise.open_round(2), (descent.steps, self.model.parameter_count)
            walked = [
                self.private_points(descent, self.train, draw(shape).to(self.along.start)) for _ in range(replicates)
            ]
            exact = torch.stack([self.exact_values(self.train, self.about(each, public, descent)) for each in walked])
            points = walked[0]
        released, errors = self._release(exact, design, noise)
        self.context.advance(self.settings.evaluations)
        account = self.ledger.account
        estimates = Estimates(
            ids=self.problem.data.train.ids,
            values=released,
            std_errors=errors,
            evaluations=np.full((replicates, len(self.train)), len(public.flatten(0, 1)), dtype=np.int64),
            touches=account.touches,  # type: ignore[attr-defined]
            epsilon=self.ledger.epsilon(),
            noise_multiplier=_deviation(design),
            entries=self.ledger.entries,
            utility_evaluations=self.evaluations,
            cost=meter.cost(),
        )
        return Released(estimates, design, descent, points)

    def _contributions(self, thetas: Tensor, rows: Rows) -> Tensor:
        self.evaluations += len(thetas) * (len(rows) + 1)
        rate, utility = self.settings.learning_rate, self.settings.utility
        return mean_contributions(self.model, thetas, rows, self.judges, learning_rate=rate, utility=utility)

    def exact_values(self, rows: Rows, public: Tensor) -> Tensor:
        """Values [n] of rows along public trajectories [paths, positions, P] before clip and noise: not private."""
        return self._contributions(public.flatten(0, 1), rows)

    def design(self, public: Tensor) -> Design:
        """Law and clip, from public rows along public trajectories."""
        generator = self.context.streams.generator("design", self.purpose)
        wrong = mislabelled(self.public, len(self.problem.data.classes), generator)
        values = torch.cat([self.exact_values(rows, public) for rows in (self.public, wrong)]).cpu()
        privacy = self.privacy
        return choose_design(values, privacy.value_budget, laws=privacy.laws, clip=privacy.clip, generator=generator)

    def _descent(self, path: PrivatePath) -> MeanGradientPath:
        """The descent along private mean gradients; the account is charged before its noise is drawn."""
        length = len(self.train)
        steps = min(POSITIONS, length)
        norm = public_norm(self.model, self.along.start, self.public.features, self.public.target, path.quantile)
        clip = Clip(Sensitivity(norm, path.budget.relation))
        deviation = clip.sensitivity.value / length * steps**0.5 / path.budget.mu
        self.ledger.charge(PureRelease(path.budget.epsilon, path.budget.delta))
        return MeanGradientPath(steps, clip, deviation * (1 + 1e-9), norm)

    def private_points(self, descent: MeanGradientPath, rows: Rows, draws: Tensor) -> Tensor:
        """Points [steps + 1, P] of a descent over rows; draws [steps, P] are standard normal."""
        rate, length = self.settings.learning_rate, len(rows)
        return mean_gradient_path(
            self.model, self.along.start, rows, descent, length=length, learning_rate=rate, draws=draws
        )

    def about(self, points: Tensor, public: Tensor, descent: MeanGradientPath) -> Tensor:
        """Trajectories [M, T, P] about a path: its own points with the spread of public trajectories [M, T, P]."""
        positions, length = self.along.positions, len(self.train)
        step = self.settings.learning_rate * descent.norm
        return at_positions(points, positions, length) + spread(public, positions, step)

    def _release(
        self, exact: Tensor, design: Design, noise: NoiseSource
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Released values and their standard errors [R, n]; a value that is no number is released as 0."""
        x, law = clipped_numbers(exact, design.clip).cpu(), design.law
        cost, deviation = law.cost.epsilon, _deviation(design)
        for release in self.privacy.charges(cost, deviation, len(self.train), self.replicates):
            self.ledger.charge(release)
        self.ledger.note(noise=noise.kind, what="values", law=law.name, clip=design.clip)
        draw = noise.open_round(1)
        estimate = law.release(x, draw(tuple(x.shape)).cpu(), draw(tuple(x.shape)).cpu())
        # the largest over x, since x itself is not known: at 0 or at the clip for each law
        error = float(law.variance(torch.tensor([0.0, 1.0], dtype=torch.float64)).max().sqrt())
        return (estimate * design.clip).numpy(), np.full(tuple(estimate.shape), error * design.clip)


def _deviation(design: Design) -> float:
    """Deviation of the released number of a row of value 0, in clips."""
    return float(design.law.variance(torch.zeros(1, dtype=torch.float64)).sqrt())
