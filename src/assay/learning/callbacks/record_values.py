"""Turns marginal contributions into values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assay.learning.callbacks.rounds import RoundCallback
from assay.learning.marginals import MarginalSums

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule


class RecordValues(RoundCallback):
    """Accumulates every round's marginal contributions in `marginals`.

    Example:
        >>> record = RecordValues(MarginalSums(rows=100))
        >>> trainer = Trainer(callbacks=[record], max_epochs=1)  # doctest: +SKIP
        >>> trainer.fit(permutation_pass, rounds)  # doctest: +SKIP
        >>> record.marginals.values()  # doctest: +SKIP
    """

    def __init__(self, marginals: MarginalSums) -> None:
        self.marginals = marginals

    def on_round_end(
        self, module: LightningModule, number: int, order: NDArray[np.int64], marginals: NDArray[np.float64]
    ) -> None:
        """Adds the round."""
        self.marginals.add(number, order, marginals)

    def state_dict(self) -> dict[str, Any]:
        """The sums."""
        return self.marginals.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from an interrupted fit."""
        self.marginals.load_state_dict(state_dict)
