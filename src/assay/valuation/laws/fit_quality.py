"""Agreement of predicted contributions with measured ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.statistics import spearman
from assay.valuation.contributions.samples import CardinalityMeans
from assay.valuation.laws.laws import Laws, Predicted

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Accuracy:
    """Agreement across points at each of K cardinalities, each [K]; `coverage` is the share of points within the interval."""

    r_squared: Floats
    pearson: Floats
    spearman: Floats
    sign_agreement: Floats
    coverage: Floats


def accuracy_of(laws: Laws, truth: CardinalityMeans, level: float = 0.9) -> Accuracy:
    """Scores of laws at the cardinalities of the truth, whose own standard error widens each interval."""
    return accuracy(laws.at(truth.cardinalities), truth.mean, truth.std_error, level)


def accuracy(predicted: Predicted, truth: Floats, std_error: Floats, level: float = 0.9) -> Accuracy:
    """Scores of predictions [n, K] or [n] against a measured truth with standard errors, column by column.

    An interval covers when |prediction - truth| is at most Student's t quantile times sqrt(SE_prediction^2 + SE_truth^2);
    a point without a standard error counts as not covered.
    """
    from scipy import stats

    guess, true, error, noise = (
        each.reshape(len(each), -1) for each in (predicted.mean, truth, predicted.std_error, std_error)
    )
    quantile = float(stats.t.ppf(0.5 + level / 2, max(predicted.freedom, 1.0)))
    with np.errstate(invalid="ignore"):
        within = np.abs(guess - true) <= quantile * np.sqrt(error**2 + noise**2)
    columns = range(true.shape[1])
    return Accuracy(
        r_squared(true, guess),
        np.array([_pearson(true[:, k], guess[:, k]) for k in columns]),
        np.array([spearman(true[:, k], guess[:, k]) for k in columns]),
        (np.sign(guess) == np.sign(true)).mean(axis=0),
        within.mean(axis=0),
    )


def r_squared(truth: Floats, predicted: Floats) -> Floats:
    """scikit-learn's r2_score across points for each column [K]; NaN where the truth is constant."""
    total = ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
    residual = ((truth - predicted) ** 2).sum(axis=0)
    return np.asarray(np.where(total > 0, 1 - residual / np.where(total > 0, total, 1.0), np.nan))


def _pearson(first: Floats, second: Floats) -> float:
    first, second = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / scale if scale > 0 else float("nan")
