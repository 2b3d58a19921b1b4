"""Clips the gradient of each row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from assay.learning.callbacks.rounds import RoundCallback
from assay.privacy.clipping import Clip
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
        self._clip = Clip(self.sensitivity)

    def on_row_gradient(self, module: LightningModule, gradient: Tensor, rows: Tensor, number: int) -> Tensor:
        """The clipped gradients [R, P]."""
        return self._clip(gradient)
