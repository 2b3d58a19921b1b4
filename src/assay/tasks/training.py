"""A network trained on Poisson batches, with or without noise, and scored once on the test split."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import Callback

from assay.errors import InputError
from assay.figures.values import curve_figure
from assay.learning.callbacks.finite_weights import FiniteWeights
from assay.learning.callbacks.per_sample_statistics import PerSampleStatistics
from assay.learning.callbacks.private_gradients import PrivateGradients
from assay.learning.callbacks.record_curve import RecordCurve
from assay.learning.callbacks.save_steps import SaveSteps
from assay.learning.callbacks.show_rounds import ShowRounds
from assay.learning.fitting import carry_out_fit, quiet
from assay.learning.models import Shape
from assay.learning.models.torch_networks import build_network
from assay.learning.modules.supervised import Supervised
from assay.learning.poisson_loader import PoissonLoader
from assay.learning.private_loader import NEAR, parts_within_memory, private_loader
from assay.privacy.batch_sums import BatchSums
from assay.privacy.plan import TrainingPlan
from assay.privacy.poisson import PoissonSampler
from assay.runs import Headline, Outcome

if TYPE_CHECKING:
    from assay.data import Arrays
    from assay.tasks.recipe import Recipe
    from assay.valuation.valuator import Problem, Run


def trained(choice: Recipe, problem: Problem, run: Run, statistics: bool = False) -> Outcome:
    """Metrics of the test split and of the account; table `curve` on the valid split; its figure.

    `statistics` adds the table `samples` of every row's loss, gradient norm and alignment.
    """
    import pandas as pd

    data, trainer = problem.data, run.trainer
    torch.set_num_threads(trainer.threads)
    network = build_network(
        problem.model, Shape.of(data), torch.Generator().manual_seed(run.streams.seed("initialisation"))
    ).to(trainer.dtype)
    module = Supervised(network, data.kind, optimizer_of(choice))
    rows = _stated_rows(problem)
    batch_size = min(choice.batch_size, rows)
    rate = batch_size / rows
    steps, every = max(1, math.ceil(choice.epochs / rate)), max(1, round(1 / rate))
    plan = _plan(problem, run, rows, batch_size, steps, every)
    tensors = tensors_of(data.train, trainer.dtype)
    if plan is None:
        generator = partial(run.streams.generator, "batches")
        sampler = PoissonSampler.of_batch_size(rows, batch_size, generator)
        loader = PoissonLoader(tensors, sampler, steps, parts=choice.parts)
    else:
        loader = private_loader(plan, tensors, parts=max(choice.parts, parts_within_memory(module, plan)))
    curve = RecordCurve(*tensors_of(data.valid, trainer.dtype), every=every)
    callbacks: list[Callback]
    private = PrivateGradients(plan) if plan else None
    watch = PerSampleStatistics(len(data.train), partial(_positions, loader)) if statistics else None
    finite = FiniteWeights("task.learning_rate", choice.learning_rate)
    callbacks = [each for each in (private, watch, curve, finite) if each is not None]
    fit_to(loader, module, callbacks, run)
    scores = module.to("cpu").scores(*tensors_of(data.test, trainer.dtype))
    metrics = {f"test/{name}": score for name, score in scores.items()} | {"steps": float(steps)}
    if plan is not None:
        metrics |= {"epsilon": plan.epsilon(), "noise_multiplier": plan.noise_multiplier}
    tables = {"curve": pd.DataFrame(curve.rows)}
    if watch is not None:
        samples = watch.table()
        tables["samples"] = samples.assign(id=data.train.ids[samples.pop("position")]).sort_values(
            "id", ignore_index=True
        )
    ledger = [] if plan is None else plan.ledger.entries
    headline = Headline(metrics=tuple(metrics))
    return Outcome(metrics, tables, {"curve": curve_figure(tables["curve"])}, headline=headline, ledger=ledger)


def fit_to(loader: PoissonLoader, module: Supervised, callbacks: list[Callback], run: Run) -> None:
    """Trains a module on all steps of a loader, from where a killed run stopped."""
    save = SaveSteps(run.parts.file("steps.pt"), run.trainer.checkpoint_seconds)
    done, parts = save.resume(module, callbacks, loader), loader.parts
    with run.showing("training", loader.steps * parts) as shown, quiet():
        shown.advance(done * parts)
        if done < loader.steps:
            show = ShowRounds(lambda rows: shown.advance(1))
            fit = run.trainer.build([*callbacks, save, show], max_epochs=1, accumulate_grad_batches=parts)
            carry_out_fit(fit, module, loader)


def optimizer_of(choice: Recipe) -> Callable[..., torch.optim.Optimizer]:
    """The optimizer of a recipe, over parameters that are yet to come."""
    if choice.optimizer == "adam":
        return partial(torch.optim.Adam, lr=choice.learning_rate)
    return partial(torch.optim.SGD, lr=choice.learning_rate, momentum=choice.momentum)


def _stated_rows(problem: Problem) -> int:
    """The number of train rows that the privacy option states, or that of the table, which is then taken for public."""
    stated, rows = getattr(problem.privacy, "rows", None), len(problem.data.train)
    if stated is not None and abs(rows - stated) > NEAR * stated:
        limit = f"the train split has {rows} rows, and a plan serves a tenth more or fewer"
        raise InputError("privacy.rows", stated, limit, "state a public number near it")
    return stated or rows


def _plan(problem: Problem, run: Run, rows: int, batch_size: int, steps: int, every: int) -> TrainingPlan | None:
    """The plan of a private training; None without privacy."""
    if not isinstance(problem.privacy, BatchSums):
        return None
    return problem.privacy.plan(
        rows=rows,
        batch_size=batch_size,
        steps=steps,
        seed=run.streams.seed_value,
        record=run.parts.file("ledger.jsonl"),
        note_every=every,
    )


def _positions(loader: PoissonLoader, batch: Any, place: int) -> NDArray[np.int64]:
    """Rows of the batch at `place`; an empty sample is trained on as row 0, the row that stands in for it."""
    rows = loader.rows_of(loader.first + place, 0)
    return rows if len(rows) else np.zeros(1, dtype=np.int64)


def tensors_of(part: Arrays, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """Features and targets of a part of the data; token ids stay whole numbers."""
    whole = np.issubdtype(part.features.dtype, np.integer)
    return torch.tensor(part.features, dtype=torch.long if whole else dtype), torch.tensor(part.target, dtype=dtype)
