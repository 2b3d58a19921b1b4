"""Directed estimates: from a problem to released values with their account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assay.errors import InputError
from assay.learning.initialisation import public_start
from assay.learning.models import Shape
from assay.learning.modules.permutation_pass import Rows
from assay.privacy.accounting.gaussian import epsilon_of, mu_of
from assay.privacy.budget import Budget
from assay.privacy.clipping import Clip, clipped_numbers
from assay.privacy.ledger import Ledger
from assay.privacy.relations import Relation, Sensitivity
from assay.privacy.rows.account import RowAccount, RowRelease
from assay.privacy.rows.pure_account import PureAccount, PureRelease
from assay.privacy.scalar_laws.laws import LAWS
from assay.runs.cost import Meter
from assay.valuation.gradient.directed.design import Design, choose_design, spoilt
from assay.valuation.gradient.directed.paths import (
    POSITIONS,
    MeanGradientPath,
    mean_gradient_path,
    positions_of,
    public_paths,
    spread,
)
from assay.valuation.gradient.directed.row_effects import mean_contributions
from assay.valuation.gradient.estimates import Estimates, rows_of
from assay.valuation.gradient.public_norm import public_norm
from assay.valuation.semivalues import semivalue_weights
from assay.valuation.valuator import Problem, Run, Valuation
from assay.valuation.values import Values

if TYPE_CHECKING:
    from assay.privacy.noise.sources import NoiseSource
    from assay.valuation.gradient.semivalue import GradientSemivalue

Release = PureRelease | RowRelease


@dataclass(frozen=True, eq=False)
class Released:
    """Estimates [R, n] with the design behind them."""

    estimates: Estimates
    design: Design


def directed_estimates(choice: GradientSemivalue, problem: Problem, run: Run, purpose: str) -> Estimates:
    """One release of each row in each replicate; see `DirectedRelease`."""
    return DirectedRelease(choice, problem, run, purpose).run().estimates


def directed_valuation(choice: GradientSemivalue, problem: Problem, run: Run) -> Valuation:
    """The first replicate as values; standard errors are those of the release's noise, not of the clip's bias."""
    found = DirectedRelease(choice, problem, run, "values").run()
    estimates, design = found.estimates, found.design
    half = np.full_like(estimates.values[0], design.law.half_width * design.clip)
    columns = (estimates.ids, estimates.values[0], estimates.std_errors[0], estimates.evaluations[0])
    values = Values(*columns, half_width=half)
    facts = {"release/clip": design.clip, "release/expected_spearman": design.expected_spearman}
    facts["release/epsilon_of_a_changed_record"] = changed_record_epsilon(problem, design)
    return Valuation(values, estimates.epsilon, estimates.utility_evaluations, ledger=estimates.entries, facts=facts)


def changed_record_epsilon(problem: Problem, design: Design) -> float:
    """Epsilon at which a record that is changed into any other is protected, the private path included."""
    privacy = problem.privacy
    path = privacy.epsilon * privacy.share_of_path
    if privacy.budget.relation is Relation.ZERO_OUT and path:
        path = epsilon_of(2 * mu_of(path, privacy.delta), privacy.delta)
    return design.law.changed_record_epsilon(privacy.delta) + path


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
        choice: GradientSemivalue,
        problem: Problem,
        run: Run,
        purpose: str,
        *,
        public: Rows | None = None,
        judges: Rows | None = None,
        ledger: Ledger[Any] | None = None,
    ) -> None:
        data, privacy, trainer = problem.data, problem.privacy, run.trainer
        torch.set_num_threads(trainer.threads)
        self.choice, self.problem, self.context, self.purpose = choice, problem, run, purpose
        self.train, self.valid = rows_of(data.train, trainer.dtype), rows_of(data.valid, trainer.dtype)
        self.public, self.judges = public or self.valid, judges or self.valid
        self.model = problem.model.replicated(Shape.of(data))
        generator = torch.Generator().manual_seed(run.streams.seed("initialisation"))
        start = public_start(self.model, choice.initialisation, self.public.features, self.public.target, generator)
        self.start = start.to(self.valid.features)
        weights = semivalue_weights(choice.semivalue, len(self.train), choice.alpha, choice.beta)
        self.positions = positions_of(weights, POSITIONS)
        self.evaluations = 0
        whole = privacy.budget
        self.value_budget = Budget(whole.epsilon * (1 - privacy.share_of_path), whole.delta, whole.relation)
        self.laws = _laws(privacy.scalar_law, privacy.share_of_path)
        self.ledger: Ledger[Any] = self._ledger() if ledger is None else ledger

    def _ledger(self) -> Ledger[Any]:
        privacy, rows, replicates = self.problem.privacy, len(self.train), self.choice.replicates
        if self.laws == ("gaussian",):
            return Ledger(RowAccount(privacy.budget, Sensitivity(1.0, privacy.budget.relation), rows, replicates))
        return Ledger(PureAccount(privacy.budget, rows, replicates))

    def run(self) -> Released:
        """Trajectories, design, values, account, noise: in this order."""
        meter, problem, replicates = Meter(), self.problem, self.choice.replicates
        public = self.public_paths()
        design = self.design(public)
        noise = problem.privacy.noise(
            lambda number: self.context.streams.seed("noise", self.purpose, number),
            torch.float64,
            self.context.trainer.device,
        )
        if problem.privacy.share_of_path:
            exact = self._along_private_paths(public, noise)
        else:
            exact = self.exact_values(self.train, public).expand(replicates, -1)
        released, errors = self._release(exact, design, noise)
        self.context.advance(self.choice.evaluations)
        account = self.ledger.account
        count = np.full((replicates, len(self.train)), len(public.flatten(0, 1)), dtype=np.int64)
        estimates = Estimates(
            ids=problem.data.train.ids,
            values=released,
            std_errors=errors,
            evaluations=count,
            touches=account.touches,  # type: ignore[attr-defined]
            epsilon=self.ledger.epsilon(),
            noise_multiplier=float(design.law.variance(torch.zeros(1, dtype=torch.float64)).sqrt()),
            entries=self.ledger.entries,
            utility_evaluations=self.evaluations,
            cost=meter.cost(),
        )
        return Released(estimates, design)

    def public_paths(self) -> Tensor:
        """Parameters [paths, positions, P]; no private row is read."""
        return public_paths(
            self.model,
            self.start,
            self.public,
            steps=len(self.train),
            positions=self.positions,
            learning_rate=self.choice.learning_rate,
            paths=self.problem.privacy.paths,
            generator=self.context.streams.generator("public paths"),
        )

    def _contributions(self, thetas: Tensor, rows: Rows) -> Tensor:
        self.evaluations += len(thetas) * (len(rows) + 1)
        choice = self.choice
        options = {"learning_rate": choice.learning_rate, "utility": choice.utility}
        return mean_contributions(self.model, thetas, rows, self.judges, **options)  # type: ignore[arg-type]

    def exact_values(self, rows: Rows, public: Tensor) -> Tensor:
        """Values [n] of rows along public trajectories before clip and noise: not private."""
        return self._contributions(public.flatten(0, 1), rows)

    def design(self, public: Tensor) -> Design:
        """Law and clip, from public rows."""
        generator = self.context.streams.generator("design", self.purpose)
        wrong = spoilt(self.public, len(self.problem.data.classes), generator)
        values = torch.cat([self.exact_values(rows, public) for rows in (self.public, wrong)]).cpu()
        clip = self.problem.privacy.clip
        return choose_design(values, self.value_budget, laws=self.laws, clip=clip, generator=generator)

    def _along_private_paths(self, public: Tensor, noise: NoiseSource) -> Tensor:
        """Values [R, n] along each replicate's own private path; the account is charged before its noise is drawn."""
        privacy, rows, length = self.problem.privacy, self.train, len(self.train)
        steps = min(POSITIONS, length)
        public_rows = (self.public.features, self.public.target)
        norm = public_norm(self.model, self.start, *public_rows, privacy.path_quantile)
        share = privacy.epsilon * privacy.share_of_path
        clip = Clip(Sensitivity(norm, privacy.budget.relation))
        deviation = clip.sensitivity.value / length * steps**0.5 / mu_of(share, privacy.delta)
        self.ledger.charge(PureRelease(share, privacy.delta))
        self.ledger.note(what="mean gradient path", steps=steps, max_grad_norm=norm, secure=noise.secure)
        draw, found = noise.open_round(2), []
        choice = MeanGradientPath(steps, clip, deviation * (1 + 1e-9))
        jitter = spread(public)
        for _ in range(self.choice.replicates):
            path = mean_gradient_path(
                self.model,
                self.start,
                rows,
                choice,
                length=length,
                positions=self.positions,
                learning_rate=self.choice.learning_rate,
                draws=draw((steps, self.model.parameter_count)).to(self.start),
            )
            found.append(self._contributions((path + jitter).flatten(0, 1), rows))
        return torch.stack(found)

    def _release(
        self, exact: Tensor, design: Design, noise: NoiseSource
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Released values and their standard errors [R, n]; a value that is no number is released as 0."""
        x = clipped_numbers(exact, design.clip).cpu()
        law = design.law
        for release in _charges(design, len(self.train), self.choice.replicates, self.laws):
            self.ledger.charge(release)
        self.ledger.note(what="values", law=law.name, clip=design.clip, secure=noise.secure)
        draw = noise.open_round(1)
        estimate = law.release(x, draw(tuple(x.shape)).cpu(), draw(tuple(x.shape)).cpu())
        # the largest over x, since x itself is not known: at 0 or at the clip for each law
        error = float(law.variance(torch.tensor([0.0, 1.0], dtype=torch.float64)).max().sqrt())
        return (estimate * design.clip).numpy(), np.full(tuple(estimate.shape), error * design.clip)


def _laws(wanted: str, path_share: float) -> tuple[str, ...]:
    """The laws to choose from; beside a private path, which takes all of delta, pure ones alone."""
    if wanted == "auto":
        return tuple(name for name in LAWS if name != "gaussian")
    if wanted not in LAWS:
        raise InputError("privacy.law", wanted, f"must be auto or one of {', '.join(LAWS)}", "use privacy.law=auto")
    if wanted == "gaussian" and path_share:
        raise InputError("privacy.law", wanted, "spends delta, and the private path has all of it", "use law=auto")
    return (wanted,)


def _charges(design: Design, rows: int, replicates: int, laws: tuple[str, ...]) -> list[Release]:
    if laws == ("gaussian",):
        deviation = float(design.law.variance(torch.zeros(1, dtype=torch.float64)).sqrt())
        return [RowRelease(np.full(replicates, row), deviation) for row in range(rows)]
    return [PureRelease(design.law.cost.epsilon)]
