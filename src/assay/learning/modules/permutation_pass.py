"""One-pass SGD over permutations of the rows, many replicates at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningModule
from torch import Tensor

from assay.learning.callbacks.rounds import RoundCallback
from assay.learning.models.replicated import ReplicatedModel, path_utility

PATH_ROOM = 8_000_000  # numbers of the parameter path in memory before their utilities are taken


@dataclass(frozen=True)
class Rows:
    """Features [n, d] and target [n] of one split, as tensors."""

    features: Tensor
    target: Tensor

    def __len__(self) -> int:
        return self.features.shape[0]


class PermutationPass(LightningModule):
    """Walks through permutations of the rows with one SGD step a row and hands on every marginal contribution.

    In round t each replicate restarts from the same point, takes the rows in an order of its own and steps
    ``theta <- theta - learning_rate * G``; G is the gradient of the row as the RoundCallbacks of the Trainer, in their order,
    have turned it (clipped, made private, replaced by a mean of past releases). The utility is taken after every step; a
    row's marginal contribution is the difference that its step made.

    Manual optimisation: one Trainer batch is a tensor of round numbers [w], from 1 on. ``orders(t)`` gives the permutations
    of round t [R, n]. Replicates are an axis of every tensor, so that 24 cost about as much as one. So are `wave` rounds
    that are walked at the same time, the lanes [wave * R] round after round; the last wave of a batch may be smaller. A
    round hears of its start and end as if it were alone.
    Source: Ghorbani & Zou 2019, Algorithm 2 (G-Shapley); 2412.17008 for private gradients in it.
    """

    features: Tensor
    target: Tensor
    start: Tensor
    valid_features: Tensor
    valid_target: Tensor

    def __init__(
        self,
        model: ReplicatedModel,
        train: Rows,
        valid: Rows,
        start: Tensor,
        orders: Callable[[int], NDArray[np.int64]],
        *,
        learning_rate: float,
        utility: str,
        replicates: int = 1,
        wave: int = 1,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.model, self.orders = model, orders
        self.learning_rate, self.utility, self.replicates, self.wave = learning_rate, utility, replicates, wave
        tensors = {"features": train.features, "target": train.target, "start": start.to(train.features)}
        tensors |= {"valid_features": valid.features, "valid_target": valid.target}
        for name, tensor in tensors.items():
            self.register_buffer(name, tensor, persistent=False)  # so that Lightning moves them to the device
        self.utility_evaluations = 0
        self._round_callbacks: list[RoundCallback] = []

    def configure_optimizers(self) -> None:
        """None: the step along a row's gradient is written out in the loop."""

    def on_fit_start(self) -> None:
        """Finds the callbacks that take part in every step."""
        self._round_callbacks = [c for c in self.trainer.callbacks if isinstance(c, RoundCallback)]  # type: ignore[attr-defined]

    @torch.no_grad()
    def training_step(self, batch: Tensor, batch_idx: int) -> None:
        """Carries out the rounds whose numbers are in the batch."""
        for numbers in torch.split(batch, self.wave):
            self._walk(numbers.tolist())

    def _walk(self, numbers: list[int]) -> None:
        orders = [self.orders(number) for number in numbers]
        rows_by_step = torch.from_numpy(np.ascontiguousarray(np.concatenate(orders).T)).to(self.device)
        for number, order in zip(numbers, orders, strict=True):
            for callback in self._round_callbacks:
                callback.on_round_start(self, number, order)
        theta = self.start.expand(rows_by_step.shape[1], -1).clone()
        before = self._utility(theta[:, None])[:, 0]
        block = max(1, PATH_ROOM // theta.numel())
        parts = []
        for steps in torch.split(torch.arange(len(rows_by_step)), block):
            path = theta.new_empty(len(theta), len(steps), theta.shape[1])
            for place, step in enumerate(steps.tolist()):
                rows = rows_by_step[step]
                gradient = self.model.row_gradients(theta, self.features[rows], self.target[rows])
                for callback in self._round_callbacks:
                    gradient = callback.on_row_gradient(self, gradient, rows, numbers[0])
                theta.sub_(gradient, alpha=self.learning_rate)
                path[:, place] = theta
            parts.append(self._utility(path))
        reached = torch.cat([before[:, None], *parts], dim=1)
        marginals = reached.diff(dim=1).double().cpu().numpy()
        self.utility_evaluations += reached.numel()
        for number, order, gains in zip(numbers, orders, np.split(marginals, len(numbers)), strict=True):
            for callback in self._round_callbacks:
                callback.on_round_end(self, number, order, gains)

    def _utility(self, path: Tensor) -> Tensor:
        copies = path.reshape(-1, path.shape[-1])
        return path_utility(self.model, copies, self.valid_features, self.valid_target, self.utility).view(
            path.shape[:2]
        )

    def get_extra_state(self) -> int:
        """The count of utility evaluations; data and start are rebuilt from the config."""
        return self.utility_evaluations

    def set_extra_state(self, state: int) -> None:
        """Takes the count of an interrupted fit."""
        self.utility_evaluations = int(state)
