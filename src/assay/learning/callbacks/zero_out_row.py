"""Takes one row's part out of every gradient, as in the zero-out neighbour of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assay.learning.callbacks.rounds import RoundCallback

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule


class ZeroOutRow(RoundCallback):
    """Sets the gradient of row `vanished[r]` to zero in replicate r (-1: none), before anything else sees it.

    Example:
        >>> zero_out = ZeroOutRow(np.array([-1, 7]))  # the table as it is, and without row 7
        >>> trainer = Trainer(callbacks=[zero_out, clip, release, record], max_epochs=1)  # doctest: +SKIP
    """

    def __init__(self, vanished: NDArray[np.int64]) -> None:
        self._vanished = torch.from_numpy(vanished)

    def on_row_gradient(self, module: LightningModule, gradient: Tensor, rows: Tensor, number: int) -> Tensor:
        """Zero where the row at hand is the one that vanished."""
        gone = rows == self._vanished.to(rows.device)
        return gradient.masked_fill(gone[:, None], 0.0)
