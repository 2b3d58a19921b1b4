"""Sees to it that a row's gradient depends on that row alone."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from pytorch_lightning import LightningModule
from torch import Tensor

from assay.errors import AssayError
from assay.gradients import PerSampleGradients, UsedOutsideError
from assay.gradients.rewrites.whole import instead

Gradient = Mapping[str, Tensor]
Batch = Sequence[Tensor]

_ALONE = 1e-3  # of a gradient's size: other shapes take other ways through a sum
_CROWD = {torch.float64: 1e-9, torch.float32: 1e-4}
_SUM = {torch.float64: 1e-12, torch.float32: 1e-5}


class RowCheck:
    """Compares gradients of the same row in the same place among other rows, with all random numbers fixed.

    In evaluation and in training mode the loss must add up over the rows. The first, the middle and the last row of a
    batch are given a batch of copies of themselves for company: a gradient that changes depends on other rows. In
    evaluation mode the first row's must be that of the row alone as well. The module's modes, buffers and random numbers
    are left as they were, and it logs nothing.
    """

    def __init__(self, engine: PerSampleGradients) -> None:
        self._engine = engine

    def thoroughly(self, module: LightningModule, batch: Batch) -> None:
        """Three rows in both modes; raises AssayError for a row that mixes with others."""
        count = len(batch[0])
        rows = sorted({0, count // 2, count - 1})
        with undisturbed(module):
            for training in (False, True):
                with _mode(module, training):
                    _add_up(module, batch, training)
                    self._same_value(module, batch, training)
                    self._compare(module, batch, rows, training)
            with _mode(module, False):
                self._alone(module, batch)

    def briefly(self, module: LightningModule, batch: Batch, row: int) -> None:
        """One row in the modes that the module is in."""
        with undisturbed(module):
            _add_up(module, batch, module.training)
            self._compare(module, batch, [row], module.training)

    def _same_value(self, module: LightningModule, batch: Batch, training: bool) -> None:
        """Raises AssayError for a step that says another loss of rows one by one than of their batch.

        It runs row by row where the module itself owns parameters: rows are apart then, and another loss is trained.
        """
        if not self._engine.enters_by_row:
            return
        loss, again = (float(loss_of_step(module, tuple(batch), seed).detach()) for seed in (0, 1))
        if loss != again:
            return  # it draws random numbers, others row by row
        with self._engine.recording(len(batch[0])):
            apart = float(loss_of_step(module, tuple(batch)).detach())
        share = abs(apart - loss) / (abs(loss) + 1e-6)
        if not share <= _ALONE / 10:
            mode = "training" if training else "evaluation"
            raise _mixed(module, f"in {mode} mode the loss", share, "the company that the same rows are in", "value")

    def _compare(self, module: LightningModule, batch: Batch, rows: Sequence[int], training: bool) -> None:
        base = self._gradients(module, batch, rows)
        for place, row in enumerate(rows):
            company = [part[torch.full((len(part),), row, device=part.device)] for part in batch]
            (other,) = self._gradients(module, company, [row])
            dtype = next(iter(other.values())).dtype
            loose = torch.is_autocast_enabled("cpu") or torch.is_autocast_enabled("cuda")
            share = distance(base[place], other)
            if not share <= (_ALONE if loose else _CROWD.get(dtype, _ALONE)):
                mode = "training" if training else "evaluation"
                raise _mixed(module, f"in {mode} mode row {row}'s", share, "the other rows of the batch")

    def _alone(self, module: LightningModule, batch: Batch) -> None:
        (together,) = self._gradients(module, batch, [0])
        (alone,) = self._gradients(module, [part[:1] for part in batch], [0])
        loose = torch.is_autocast_enabled("cpu") or torch.is_autocast_enabled("cuda")
        share = distance(together, alone)
        if not share <= (30 * _ALONE if loose else _ALONE):
            raise _mixed(module, "one row's", share, "the number of rows in the batch")

    def _gradients(self, module: LightningModule, batch: Batch, rows: Sequence[int]) -> list[dict[str, Tensor]]:
        """Gradients of rows of a batch, by one pass over it; the loss is a mean over its rows."""
        while True:
            try:
                return self._pass(module, batch, rows)
            except UsedOutsideError as error:
                self._engine.widen(error)

    def _pass(self, module: LightningModule, batch: Batch, rows: Sequence[int]) -> list[dict[str, Tensor]]:
        samples = len(batch[0])
        with torch.enable_grad(), self._engine.recording(samples) as tape:
            loss = loss_of_step(module, tuple(batch))
            loss.backward()  # type: ignore[no-untyped-call]
        recorded = tape.recorded(float(samples))
        gradients = []
        for row in rows:
            chosen = torch.zeros(samples, dtype=next(module.parameters()).dtype, device=loss.device)
            chosen[row] = 1.0
            gradients.append(recorded.weighted_sum(chosen))
        return gradients


def _add_up(module: LightningModule, batch: Batch, training: bool) -> None:
    """Raises AssayError unless the loss of rows of two batches, half of each, and of the other halves, have the same sum."""
    count = len(batch[0])
    rows, swapped = (
        torch.arange(count),
        torch.arange(count).roll(1) // 2,
    )  # another batch, of the first half of the rows
    half = rows % 2 == 0
    places = (rows, swapped, torch.where(half, rows, swapped), torch.where(half, swapped, rows))
    with torch.enable_grad():
        batches = [tuple(part[place.to(part.device)] for part in batch) for place in places]
        sums = [float(loss_of_step(module, each).detach().double()) for each in batches]
    gap = abs(sums[0] + sums[1] - sums[2] - sums[3])
    size = sum(map(abs, sums))
    dtype = next(module.parameters()).dtype
    loose = torch.is_autocast_enabled("cpu") or torch.is_autocast_enabled("cuda")
    if not gap <= size * (1e-2 if loose else _SUM.get(dtype, 1e-5)):
        mode = "training" if training else "evaluation"
        raise _mixed(module, f"in {mode} mode the loss", gap / size, "the company that the same rows are in", "value")


def distance(one: Gradient, other: Gradient) -> float:
    """The distance of two gradients, as a share of the second's size."""
    size = torch.stack([value.double().square().sum() for value in other.values()]).sum().sqrt()
    gap = (
        torch.stack([(one[name].double() - value.double()).square().sum() for name, value in other.items()])
        .sum()
        .sqrt()
    )
    return float(gap / (size + 1e-6))


@contextmanager
def undisturbed(module: LightningModule) -> Iterator[None]:
    """Passes that leave buffers and random numbers as they were, and log nothing; all draw the same numbers."""
    buffers = {name: value.clone() for name, value in module.named_buffers()}
    numbers, words = np.random.get_state(), random.getstate()  # noqa: NPY002  a module of the user's may draw from it
    nothing = {"log": lambda *_, **__: None, "log_dict": lambda *_, **__: None}
    try:
        with torch.random.fork_rng(), instead(module, **nothing):
            yield
    finally:
        np.random.set_state(numbers)  # noqa: NPY002
        random.setstate(words)
        with torch.no_grad():
            for name, value in module.named_buffers():
                value.copy_(buffers[name])


def loss_of_step(module: LightningModule, batch: tuple[Any, ...], seed: int = 0) -> Tensor:
    """The loss that `training_step` runs backward on; manual optimisation is left there, so that it steps on nothing."""

    def leave(loss: Tensor, *_: Any, **__: Any) -> None:
        raise _Backward(loss)

    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)
    flags = [(parameter, parameter.requires_grad) for parameter in module.parameters()]
    try:
        with instead(module, manual_backward=leave):
            answer: Any = module.training_step(batch, 0)
    except _Backward as reached:
        return reached.loss
    finally:
        for parameter, flag in flags:  # a step that is left may have frozen some
            parameter.requires_grad = flag
    loss = answer["loss"] if isinstance(answer, Mapping) else answer
    name = type(module).__name__
    if not module.automatic_optimization:
        raise AssayError(f"{name}.training_step: made no backward pass to check (call manual_backward once)")
    if not isinstance(loss, Tensor):
        raise AssayError(f"{name}.training_step: returns no loss to check (return its mean loss)")
    return loss


class _Backward(BaseException):
    """Carries the loss out of a `training_step` that has come to its backward pass; no `except Exception` holds it up."""

    def __init__(self, loss: Tensor) -> None:
        self.loss = loss


@contextmanager
def _mode(module: LightningModule, training: bool) -> Iterator[None]:
    """All modules in evaluation mode, or each in its own."""
    modes = [(part, part.training) for part in module.modules()]
    if not training:
        module.eval()
    try:
        yield
    finally:
        for part, mode in modes:
            part.training = mode


def _mixed(module: LightningModule, whose: str, share: float, what: str, changing: str = "gradient") -> AssayError:
    return AssayError(
        f"{type(module).__name__}.training_step: {whose} {changing} changes by {share:.2g} of its size with {what}, so that its "
        "loss is no mean over rows of a loss of one row (let neither loss nor modules look at other rows)"
    )
