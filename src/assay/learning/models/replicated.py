"""The interface between a model with a replicate axis and the training loops that use it."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from assay.learning.models.heads import Head


class ReplicatedModel(Protocol):
    """A model whose parameters are one flat vector theta [..., P]; leading axes are independent copies."""

    head: Head
    parameter_count: int
    widest: int
    trains_from_zeros: bool

    def initial(self, how: str, generator: torch.Generator) -> Tensor:
        """Starting parameters [P] in double precision: 'zeros' or 'random'."""
        ...

    def row_gradients(self, theta: Tensor, features: Tensor, target: Tensor) -> Tensor:
        """Gradient [R, P] of the loss of one row for each replicate: theta [R, P], features [R, d], target [R]."""
        ...

    def outputs(self, theta: Tensor, features: Tensor) -> Tensor:
        """Outputs [B, n, c] of every copy theta [B, P] on every row of features [n, d]."""
        ...


def path_utility(
    model: ReplicatedModel, theta: Tensor, features: Tensor, target: Tensor, utility: str, room: int = 4_000_000
) -> Tensor:
    """Utility [B] of every copy theta [B, P] on the valid rows: minus the mean loss, or the accuracy.

    Works through the copies in blocks of at most `room` intermediate numbers; the blocks do not depend on anything but
    shapes, so neither do the results.
    """
    score = model.head.correct if utility == "accuracy" else model.head.loss
    sign = 1.0 if utility == "accuracy" else -1.0
    block = max(1, room // (features.shape[0] * model.widest))
    scores = theta.new_empty(
        len(theta)
    )  # written into: small results between large ones would keep these from being freed
    for first in range(0, len(theta), block):
        part = theta[first : first + block]
        scores[first : first + block] = score(model.outputs(part, features), target).mean(-1)
    return sign * scores
