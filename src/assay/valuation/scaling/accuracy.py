"""How near predicted contributions come to measured ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.statistics import spearman
from assay.valuation.scaling.contributions import CardinalityMeans, Contributions, cardinality_means
from assay.valuation.scaling.laws import Laws, Predicted

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Accuracy:
    """Agreement across points at each of K cardinalities, each [K]; `coverage` is the share of points within the interval."""

    r_squared: Floats
    pearson: Floats
    spearman: Floats
    sign_agreement: Floats
    coverage: Floats

    @property
    def overall(self) -> float:
        """Uniform mean of R^2 over the cardinalities, which is scikit-learn's r2_score of the whole matrix."""
        return float(self.r_squared.mean())


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


def split_half_ceiling(contributions: Contributions) -> Floats:
    """R^2 [K] between the means of alternate samples at each cardinality: what the truth's own noise allows to be shown.

    Raises ValueError as `cardinality_means` does; every cardinality needs 4 samples or more.
    """
    sizes = contributions.cardinality[0]
    found = np.unique(sizes)
    halves: list[Floats] = []
    for start in (0, 1):
        columns = np.sort(np.concatenate([np.flatnonzero(sizes == size)[start::2] for size in found]))
        chosen = contributions.chosen(np.tile(columns, (contributions.points, 1)))
        means = [chosen.delta[:, sizes[columns] == size].mean(axis=1) for size in found]
        halves.append(np.stack(means, axis=1))
    cardinality_means(contributions)  # tells whether all points were sampled alike
    return r_squared(halves[0], halves[1])


def mean_over(truth: CardinalityMeans, smallest: int, largest: int) -> tuple[Floats, Floats]:
    """Distributional Shapley [n] of smallest..largest from means on a grid, and its standard error.

    k psi_k is interpolated linearly in log k between the grid's cardinalities, and held beyond its ends [derived].
    """
    sizes = np.arange(smallest, largest + 1, dtype=np.float64)
    grid = truth.cardinalities.astype(np.float64)
    unit = np.eye(len(grid))
    weights = np.stack([np.interp(np.log(sizes), np.log(grid), each) for each in unit], axis=1)
    share = (weights * grid / sizes[:, None]).mean(axis=0)
    return truth.mean @ share, np.sqrt(truth.std_error**2 @ share**2)


def _pearson(first: Floats, second: Floats) -> float:
    first, second = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((first @ first) * (second @ second)))
    return float(first @ second) / scale if scale > 0 else float("nan")
