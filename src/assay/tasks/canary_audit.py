"""A private training under attack: canaries in one run, and one step on neighbouring tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from assay.errors import InputError
from assay.learning.callbacks.private_gradients import PrivateGradients
from assay.learning.callbacks.score_canaries import ScoreCanaries
from assay.learning.models import Shape
from assay.learning.models.torch_networks import build_network
from assay.learning.modules.canaries import Directions, WithCanaries
from assay.learning.modules.supervised import Supervised
from assay.learning.private_loader import parts_within_memory, private_loader
from assay.privacy.canaries import CanaryLaw, count_right, guessed, guesses_bound, measure_draws, measure_scores
from assay.privacy.plan import TrainingPlan
from assay.runs import Outcome
from assay.tasks.headlines import of_training_audit
from assay.tasks.neighbouring_steps import Neighbours
from assay.tasks.training import fit_to, optimizer_of, tensors_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from assay.tasks.recipe import AttackedRecipe
    from assay.valuation.valuator import Problem, Run

FEWEST = 40
LOUD = 10.0
"""Clipping norms of a canary's gradient: one that is not clipped row by row shows at ten times its bound."""


def audited(choice: AttackedRecipe, problem: Problem, run: Run) -> Outcome:
    """Tables `summary`, `canaries` and `neighbours`; the same as flat metrics."""
    torch.set_num_threads(run.trainer.threads)
    attack = _CanaryAttack(choice, problem, run)
    scores, inside, plan = attack.carried_out()
    law = CanaryLaw(plan.steps, plan.sampler.sample_rate, plan.noise_multiplier)
    measured = measure_scores(scores, inside, law) if choice.canary == "gradient" else []
    lines = [_guesses(scores, inside, plan, law)]
    lines += [
        _line(each.quantity, each.interval.estimate, each.promised, each.refuted)
        | {"measured_low": each.interval.low, "measured_high": each.interval.high}
        for each in (*measured, measure_draws(attack.draws, law))
    ]
    neighbours = Neighbours(attack.network, choice, problem, run, plan).changes()
    largest = float(neighbours["change"].max())
    lines.append(_line("neighbours", largest, 1.0, bool((neighbours["change"] > neighbours["limit"]).any())))
    budget = plan.ledger.budget
    facts: dict[str, float] = {
        "epsilon": plan.epsilon(),
        "noise_multiplier": plan.noise_multiplier,
        "steps": float(plan.steps),
        "canaries": float(len(scores)),
        "guesses": 2.0 * _each(law, len(scores), budget.delta),
        "most_proven": guesses_bound(len(scores), len(scores), len(scores), budget.delta),
    }
    needed = law.halved.canaries_needed(budget.epsilon, budget.delta) if choice.canary == "gradient" else None
    if needed is not None:
        facts["canaries_needed"] = float(needed)
    summary = pd.DataFrame(lines)
    metrics = facts | _metrics_of(lines)
    table = pd.DataFrame({"canary": np.arange(len(scores)), "taken_in": inside, "score": scores})
    return Outcome(
        metrics,
        {"summary": summary, "canaries": table, "neighbours": neighbours},
        headline=of_training_audit(summary, metrics),
        ledger=plan.ledger.entries,
        facts={"release": "an attack on itself, for research"},
    )


def _guesses(
    scores: NDArray[np.float64], inside: NDArray[np.bool_], plan: TrainingPlan, law: CanaryLaw
) -> dict[str, Any]:
    """The epsilon that right guesses prove, as many as the law of half the noise is best refuted by."""
    budget = plan.ledger.budget
    each = _each(law, len(scores), budget.delta)
    proven = guesses_bound(len(scores), 2 * each, count_right(scores, inside, each), budget.delta)
    return _line("guesses", proven, budget.epsilon, proven > budget.epsilon)


def _each(law: CanaryLaw, canaries: int, delta: float) -> int:
    return guessed(law.halved.best_share(canaries, delta), canaries)


def _line(attack: str, measured: float, promised: float, refuted: bool) -> dict[str, Any]:
    nothing = {"measured_low": math.nan, "measured_high": math.nan}
    return {"attack": attack, "measured": measured, **nothing, "promised": promised, "refuted": refuted}


def _metrics_of(lines: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    metrics = {"refuted": float(sum(line["refuted"] for line in lines))}
    for line in lines:
        metrics |= {f"{line['attack']}/{key}": float(line[key]) for key in ("measured", "promised", "refuted")}
    return metrics


class _CanaryAttack:
    """One training with canaries: their coins, the table that these make, the scores, and the draws of each of its rows."""

    def __init__(self, choice: AttackedRecipe, problem: Problem, run: Run) -> None:
        self.choice, self.problem, self.run = choice, problem, run
        self.dtype = run.trainer.dtype
        features, target = tensors_of(problem.data.train, self.dtype)
        room = len(target) // 2 if choice.canary == "label" else _parameters_of(self.network())
        self.count = min(choice.canaries, room)
        if self.count < FEWEST:
            what = "trained parameters" if choice.canary == "gradient" else "rows to take them from"
            limit = f"a bound needs {FEWEST}, and there are {room} {what}"
            raise InputError("task.canaries", self.count, limit, "use a larger model, or more rows")
        self.features, self.target = features, target
        self.draws = np.zeros(0, dtype=np.int64)
        self.inside = run.streams.generator("canaries", "coins").random(self.count) < 0.5

    def network(self) -> torch.nn.Module:
        """The network before its training, the same each time."""
        generator = torch.Generator().manual_seed(self.run.streams.seed("initialisation"))
        return build_network(self.problem.model, Shape.of(self.problem.data), generator).to(self.dtype)

    def carried_out(self) -> tuple[NDArray[np.float64], NDArray[np.bool_], TrainingPlan]:
        """Scores [canaries], flags of those that were taken in, and the plan, its account charged."""
        return self._by_gradients() if self.choice.canary == "gradient" else self._by_labels()

    def _by_gradients(self) -> tuple[NDArray[np.float64], NDArray[np.bool_], TrainingPlan]:
        plan = self._plan(len(self.target) + self.count // 2)
        network, norm = self.network(), LOUD * plan.ledger.sensitivity.max_grad_norm
        generator = self.run.streams.generator("canaries", "directions")
        directions = Directions.draw(network, self.count, norm, generator, self.dtype)
        module = WithCanaries(network, self.problem.data.kind, optimizer_of(self.choice), directions)
        taken = torch.from_numpy(np.flatnonzero(self.inside))
        known = torch.full((len(self.target),), -1)
        tensors = (
            torch.cat([self.features, self.features[:1].expand(len(taken), -1)]),
            torch.cat([self.target, self.target.new_zeros(len(taken))]),
            torch.cat([known, taken]),
        )
        scorer = ScoreCanaries(plan)
        self._fit(module, plan, tensors, [scorer])
        return scorer.scores.numpy(), self.inside, plan

    def _by_labels(self) -> tuple[NDArray[np.float64], NDArray[np.bool_], TrainingPlan]:
        data, generator = self.problem.data, self.run.streams.generator("canaries", "labels")
        chosen = np.sort(generator.choice(len(self.target), self.count, replace=False))
        target = self.target.clone()
        target[chosen] = torch.from_numpy(wrong(target[chosen].numpy(), len(data.classes), generator)).to(target)
        plan = self._plan(len(target) - self.count // 2)
        module = Supervised(self.network(), data.kind, optimizer_of(self.choice))
        stays = np.ones(len(target), dtype=np.bool_)
        stays[chosen] = self.inside
        before = _losses(module, self.features[chosen], target[chosen])
        self._fit(module, plan, (self.features[stays], target[stays]), [])
        after = _losses(module, self.features[chosen], target[chosen])
        return (before - after).double().numpy(), self.inside, plan

    def _plan(self, rows: int) -> TrainingPlan:
        """The plan that task=train would make of so many rows."""
        privacy: Any = self.problem.privacy
        rows = privacy.rows or rows
        batch_size = min(self.choice.batch_size, rows)
        steps = max(1, math.ceil(self.choice.epochs * rows / batch_size))
        file = self.run.parts.file("ledger.jsonl")
        every = max(1, round(rows / batch_size))
        seed = self.run.streams.seed_value
        plan: TrainingPlan = privacy.plan(
            rows=rows, batch_size=batch_size, steps=steps, seed=seed, record=file, note_every=every
        )
        return plan

    def _fit(self, module: Supervised, plan: TrainingPlan, tensors: Sequence[Tensor], callbacks: list[Any]) -> None:
        loader = private_loader(plan, tensors, parts=max(self.choice.parts, parts_within_memory(module, plan)))
        batches = [loader.sampler.batch(step) for step in range(loader.steps)]
        self.draws = np.bincount(np.concatenate(batches), minlength=len(tensors[0]))
        fit_to(loader, module, [*callbacks, PrivateGradients(plan)], self.run)
        module.to("cpu")


def wrong(target: NDArray[Any], classes: int, generator: np.random.Generator) -> NDArray[Any]:
    """Another class for each target; for numbers, three deviations away."""
    if classes:
        return np.asarray((target + generator.integers(1, classes, len(target))) % classes)
    return np.asarray(target + 3 * generator.choice([-1.0, 1.0], len(target)))


@torch.no_grad()
def _losses(module: Supervised, features: Tensor, target: Tensor) -> Tensor:
    module.eval()
    losses = module.losses(features, target)
    module.train()
    return losses


def _parameters_of(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
