"""Scores of predictions on the valid split, for many fitted models at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.errors import InputError
from assay.learning.learners import Predictor
from assay.learning.models.affine import Linear
from assay.valuation.contributions.setting import Setting
from assay.valuation.utilities import SMALLEST_PROBABILITY

Floats = NDArray[np.float64]


def scores(predicted: Floats, target: NDArray[Any], kind: str, utility: str) -> Floats:
    """Utility [...] of predictions [..., V] of numbers, or of probabilities [..., V, classes]; ValueError for population_risk."""
    if utility == "population_risk":
        raise ValueError("the risk over a population is no function of predictions on valid")
    if kind == "regression":
        return np.asarray(-np.mean((predicted - target) ** 2, axis=-1))
    if utility == "accuracy":
        return np.asarray(np.mean(predicted.argmax(axis=-1) == target, axis=-1))
    wanted = np.broadcast_to(target.astype(np.int64)[:, None], (*predicted.shape[:-1], 1))
    chosen = np.take_along_axis(predicted, wanted, axis=-1)[..., 0]
    if utility == "softmax_of_probabilities":
        return np.asarray(np.mean(chosen - np.log(np.exp(predicted).sum(axis=-1)), axis=-1))
    return np.asarray(np.mean(np.log(chosen.clip(SMALLEST_PROBABILITY)), axis=-1))


def utility_of(predictor: Predictor, setting: Setting) -> float:
    """Utility of a fitted model in a setting; InputError where population_risk is not defined for it."""
    if setting.utility != "population_risk":
        predicted = predictor.predict(setting.valid.features)
        return float(scores(predicted, setting.valid.target, setting.kind, setting.utility))
    truth = population_coefficients(setting)
    origin = np.zeros((1, len(truth)))
    intercept, *slopes = predictor.predict(np.concatenate([origin, np.eye(len(truth))]))
    return excess_risk_utility(np.asarray(slopes) - intercept - truth, float(intercept))


def excess_risk_utility(difference: Floats, intercept: float) -> float:
    """Minus the excess squared error of a linear model whose coefficients differ by `difference` [d] from the population's."""
    return -float(difference @ difference + intercept**2)


def population_coefficients(setting: Setting) -> Floats:
    """Coefficients [d] of the population; InputError unless a linear model is judged on a population that is known."""
    if not isinstance(setting.model, Linear):
        limit = f"is the excess squared error of a line, and model={setting.model.name} is none"
        raise InputError("valuation.utility", "population_risk", limit, "use model=linear, or utility=negative_loss")
    if setting.coefficients is None:
        limit = "needs data whose population is known"
        raise InputError("valuation.utility", "population_risk", limit, "use synthetic data, or utility=negative_loss")
    return setting.coefficients
