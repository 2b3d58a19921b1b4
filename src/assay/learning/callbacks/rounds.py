"""The events of a pass over permutations, beside Lightning's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pytorch_lightning import Callback
from torch import Tensor

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule


class RoundCallback(Callback):
    """A callback that also hears of rounds and of single rows' gradients; each event does nothing by default.

    A LightningModule that walks through rows one at a time (PermutationPass does) calls these in the order of the
    Trainer's callbacks.
    """

    def on_round_start(self, module: LightningModule, number: int, order: NDArray[np.int64]) -> None:
        """Round `number` (from 1) is about to take the rows in `order` [R, n]."""

    def on_row_gradient(self, module: LightningModule, gradient: Tensor, rows: Tensor, number: int) -> Tensor:
        """Turns the gradients [L, P] of rows [L], one row for each lane, into what the step is made along.

        The lanes are the replicates of round `number`, then those of the further rounds walked at the same time, if any.
        """
        return gradient

    def on_round_end(
        self, module: LightningModule, number: int, order: NDArray[np.int64], marginals: NDArray[np.float64]
    ) -> None:
        """Round `number` is over; marginals [R, n] stand in the order of `order`."""
