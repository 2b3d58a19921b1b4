"""Bounds what one row can say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from assay.learning.callbacks.rounds import RoundCallback
from assay.privacy.relations import Relation, Sensitivity

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule


class ClipRowGradients(RoundCallback):
    """Scales each row's gradient to an L2 norm of at most `max_grad_norm`.

    Guarantee: the clipped gradient carries a sensitivity (`sensitivity`), which is what noise is calibrated from.

    Example:
        >>> trainer = Trainer(callbacks=[ClipRowGradients(1.0), RecordValues(rows=100)])  # doctest: +SKIP
    """

    def __init__(self, max_grad_norm: float, relation: Relation = Relation.ZERO_OUT) -> None:
        self.sensitivity = Sensitivity(max_grad_norm, relation)

    def on_row_gradient(self, module: LightningModule, gradient: Tensor, rows: Tensor, number: int) -> Tensor:
        """g / max(1, |g| / C); a gradient that is not finite becomes zero, so that it cannot pass unclipped."""
        return clip_rows(gradient, self.sensitivity.max_grad_norm)


def clip_rows(gradient: Tensor, max_grad_norm: float, room: int = 8) -> Tensor:
    """Vectors along the last axis scaled to an L2 norm of at most `max_grad_norm`, short of it by `room` roundings.

    A vector that is not finite becomes zero, so that it cannot pass unclipped.
    """
    norm = torch.linalg.vector_norm(gradient, dim=-1, keepdim=True)
    limit = max_grad_norm * (1 - room * torch.finfo(gradient.dtype).eps)
    scale = limit / norm.clamp(min=limit)
    return torch.where(norm.isfinite(), gradient * scale, 0.0)
