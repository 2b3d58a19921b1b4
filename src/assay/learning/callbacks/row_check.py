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
SEEDS = 12
"""Seeds under which a loss with random numbers must add up: a mixture that is drawn now and then shows under one of them."""
_SUM = {torch.float64: 1e-12, torch.float32: 1e-5}


class RowCheck:
    """Compares gradients of the same row in the same place among other rows, with all random numbers fixed.

    In evaluation and in training mode the loss must add up over the rows, under several seeds where it draws random numbers.
    The first, the middle and the last row of a batch are given other company: copies of themselves, a row far out, a row
    that is no number. A gradient that changes depends on other rows. In evaluation mode the first row's must be that of
    the row alone as well. The module's modes, buffers and random numbers are left as they were, and it logs nothing.
    """

    def __init__(self, engine: PerSampleGradients) -> None:
        self._engine, self._batch_idx = engine, 0

    def thoroughly(self, module: LightningModule, batch: Batch, batch_idx: int = 0) -> None:
        """Three rows in both modes; raises AssayError for a row that mixes with others."""
        self._batch_idx = batch_idx
        count = len(batch[0])
        rows = sorted({0, count // 2, count - 1})
        with undisturbed(module):
            with _mode(module, False):
                self._alone(module, batch)
            for training in (False, True):
                with _mode(module, training):
                    self._add_up(module, batch, training)
                    self._same_value(module, batch, training)
                    self._compare(module, batch, rows, training)

    def briefly(self, module: LightningModule, batch: Batch, batch_idx: int) -> None:
        """One row in the modes that the module is in."""
        self._batch_idx = batch_idx
        with undisturbed(module):
            self._add_up(module, batch, module.training)
            self._compare(module, batch, [batch_idx % len(batch[0])], module.training)

    def _loss(self, module: LightningModule, batch: Batch, seed: int = 0) -> Tensor:
        """The loss of copies of the rows: a step may work on its batch in place."""
        return loss_of_step(module, tuple(part.clone() for part in batch), self._batch_idx, seed)

    def _draws(self, module: LightningModule, batch: Batch) -> bool:
        """True for a step that draws random numbers."""
        _seed(0)
        before = _random_state()
        self._loss(module, batch)
        return _random_state() != before

    def _add_up(self, module: LightningModule, batch: Batch, training: bool) -> None:
        """Raises AssayError unless losses of two batches, half of each, and of the other halves, have the same sum."""
        count = len(batch[0])
        rows, swapped = (
            torch.arange(count),
            torch.arange(count).roll(1) // 2,
        )  # another batch, of the first half of the rows
        half = rows % 2 == 0
        places = (rows, swapped, torch.where(half, rows, swapped), torch.where(half, swapped, rows))
        with torch.enable_grad():
            for seed in range(SEEDS if self._draws(module, batch) else 1):
                batches = [[part[place.to(part.device)] for part in batch] for place in places]
                sums = [float(self._loss(module, each, seed + self._batch_idx).detach().double()) for each in batches]
                gap, size = abs(sums[0] + sums[1] - sums[2] - sums[3]), sum(map(abs, sums))
                dtype = next(module.parameters()).dtype
                if not gap <= size * (1e-2 if _is_loose() else _SUM.get(dtype, 1e-5)):
                    where = f"in {_name_of(training)} mode the loss"
                    raise _mixed(module, where, gap / size, "the company that the same rows are in", "value")

    def _same_value(self, module: LightningModule, batch: Batch, training: bool) -> None:
        """Raises AssayError for a step that says another loss of rows one by one than of their batch.

        It runs row by row where the module itself owns parameters: rows are apart then, and another loss is trained.
        """
        if not self._engine.enters_by_row:
            return
        if self._draws(module, batch):
            return  # other numbers row by row
        loss = float(self._loss(module, batch).detach())
        with self._engine.recording(len(batch[0])):
            apart = float(self._loss(module, batch).detach())
        share = abs(apart - loss) / (abs(loss) + 1e-6)
        if not share <= _ALONE / 10:
            where = f"in {_name_of(training)} mode the loss"
            raise _mixed(module, where, share, "the company that the same rows are in", "value")

    def _compare(self, module: LightningModule, batch: Batch, rows: Sequence[int], training: bool) -> None:
        base = self._gradients(module, batch, rows)
        dtype = next(iter(base[0].values())).dtype
        for place, row in enumerate(rows):
            for company in _companies(batch, row):
                (other,) = self._gradients(module, company, [row])
                share = distance(base[place], other)
                if not share <= (_ALONE if _is_loose() else _CROWD.get(dtype, _ALONE)):
                    where = f"in {_name_of(training)} mode row {row}'s"
                    raise _mixed(module, where, share, "the other rows of the batch")

    def _alone(self, module: LightningModule, batch: Batch) -> None:
        # alone first: arguments that rows share are told apart from theirs where the lengths differ
        (alone,) = self._gradients(module, [part[:1] for part in batch], [0])
        (together,) = self._gradients(module, batch, [0])
        share = distance(together, alone)
        if not share <= (30 * _ALONE if _is_loose() else _ALONE):
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
            tape.listening = False
            loss = self._loss(module, batch)
            tape.listening = True
            loss.backward()  # type: ignore[no-untyped-call]
        recorded = tape.recorded(float(samples))
        one = torch.ones(1, dtype=next(module.parameters()).dtype, device=loss.device)
        return [recorded.take(torch.tensor([row], device=loss.device)).weighted_sum(one) for row in rows]


def _companies(batch: Batch, row: int) -> Iterator[list[Tensor]]:
    """Batches in which a row keeps its place: among copies of itself, beside a row far out, beside one that is no number."""
    yield [part[torch.full((len(part),), row, device=part.device)] for part in batch]
    other = (row + 1) % len(batch[0])
    if not batch[0].is_floating_point() or other == row:
        return
    for value in (1e3, float("nan")):
        features = batch[0].clone()
        features[other] = features[other] * value + (value if value == value else 0)
        yield [features, *batch[1:]]


def _is_loose() -> bool:
    """True where passes are of reduced precision."""
    return torch.is_autocast_enabled("cpu") or torch.is_autocast_enabled("cuda")


def _name_of(training: bool) -> str:
    return "training" if training else "evaluation"


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
    values = {name: value.detach().clone() for name, value in module.named_parameters()}
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
                if name in buffers and not torch.equal(value, buffers[name]):
                    value.copy_(buffers[name])
    now = dict(module.named_parameters())
    written = [name for name, value in values.items() if name not in now or not torch.equal(now[name], value)]
    if written:
        raise AssayError(
            f"{written[0]}: training_step wrote on it, and what it takes from rows bears no noise (begin from values that do "
            "not depend on rows)"
        )


def loss_of_step(module: LightningModule, batch: tuple[Any, ...], batch_idx: int = 0, seed: int = 0) -> Tensor:
    """The loss that `training_step` runs backward on; manual optimisation is left there, so that it steps on nothing."""

    def leave(loss: Tensor, *_: Any, **__: Any) -> None:
        raise _Backward(loss)

    _seed(seed)
    flags = [(parameter, parameter.requires_grad) for parameter in module.parameters()]
    try:
        with instead(module, manual_backward=leave):
            answer: Any = module.training_step(batch, batch_idx)
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


def _seed(seed: int) -> None:
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)


def _random_state() -> tuple[bytes, bytes, int, object]:
    """The states of all random numbers that a module may draw from."""
    state: Any = np.random.get_state(legacy=False)  # noqa: NPY002
    own = state["state"]
    return torch.random.get_rng_state().numpy().tobytes(), own["key"].tobytes(), int(own["pos"]), random.getstate()


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
