"""Turns marginal contributions into values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assay.learning.callbacks.rounds import RoundCallback
from assay.learning.marginals import MarginalSums

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule


class RecordValues(RoundCallback):
    """Accumulates every round's marginal contributions in `marginals`, and in `further` sums (other burn-ins) of the same rounds.

    Example:
        >>> record = RecordValues(MarginalSums(rows=100))
        >>> trainer = Trainer(callbacks=[record], max_epochs=1)  # doctest: +SKIP
        >>> trainer.fit(permutation_pass, rounds)  # doctest: +SKIP
        >>> record.marginals.values()  # doctest: +SKIP
    """

    def __init__(self, marginals: MarginalSums, further: Sequence[MarginalSums] = ()) -> None:
        self.marginals, self.further = marginals, tuple(further)

    def on_round_end(
        self, module: LightningModule, number: int, order: NDArray[np.int64], marginals: NDArray[np.float64]
    ) -> None:
        """Adds the round."""
        for sums in (self.marginals, *self.further):
            sums.add(number, order, marginals)

    def state_dict(self) -> dict[str, Any]:
        """The sums."""
        return {"marginals": [sums.state_dict() for sums in (self.marginals, *self.further)]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from an interrupted fit."""
        for sums, state in zip((self.marginals, *self.further), state_dict["marginals"], strict=True):
            sums.load_state_dict(state)
