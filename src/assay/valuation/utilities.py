"""Utilities: the score of a fitted predictor on the valid split."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.data import Arrays, PreparedData
from assay.errors import InputError
from assay.learning.learners import Predictor

SMALLEST_PROBABILITY = 1e-6  # bounds the loss of a predictor that is certain and wrong


def predictor_utility(predictor: Predictor, data: PreparedData, utility: str) -> float:
    """Accuracy, or minus the mean loss (squared error, or cross-entropy in nats), on the valid split."""
    return predictor_score(predictor, data.valid, data.kind, utility)


def predictor_score(predictor: Predictor, part: Arrays, kind: str, utility: str) -> float:
    """Accuracy, or minus the mean loss (squared error, or cross-entropy in nats), on the rows of a split."""
    target = part.target
    predicted = predictor.predict(part.features)
    if kind == "regression":
        if utility == "accuracy":
            raise InputError("valuation.utility", utility, "needs a classification target", "use negative_loss")
        return -float(np.mean((predicted - target) ** 2))
    if utility == "accuracy":
        return float(np.mean(predicted.argmax(axis=1) == target))
    return float(np.mean(np.log(_of_class(predicted, target).clip(SMALLEST_PROBABILITY))))


def _of_class(probabilities: NDArray[np.float64], target: NDArray[Any]) -> NDArray[np.float64]:
    chosen: NDArray[np.float64] = np.take_along_axis(probabilities, target.astype(np.int64)[:, None], axis=1)[:, 0]
    return chosen
