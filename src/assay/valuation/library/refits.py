"""Marginal contributions by refitting a learner after every row of a permutation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.valuation.permutations import random_orders
from assay.valuation.utilities import predictor_utility

if TYPE_CHECKING:
    from assay.arrays import Floats
    from assay.data import PreparedData
    from assay.learning.learners import Learner
    from assay.runs.streams import Streams


@dataclass(frozen=True, eq=False)
class Walk:
    """Walks one permutation, refitting after every row; can be sent to another process."""

    learner: Learner
    data: PreparedData
    utility: str
    streams: Streams

    def __call__(self, number: int) -> dict[str, Floats]:
        """Marginal contributions [n] of round `number` in the order of its permutation."""
        train = self.data.train
        order = random_orders(self.streams, len(train), 1, "values")(number)[0]
        worth = np.empty(len(order) + 1)
        for size in range(len(order) + 1):
            rows = order[:size]
            predictor = self.learner.fit(train.features[rows], train.target[rows], seed=0)
            worth[size] = predictor_utility(predictor, self.data, self.utility)
        return {"marginals": np.diff(worth)}
