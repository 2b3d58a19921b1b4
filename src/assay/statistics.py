"""Intervals and rank statistics that tasks and reports share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """An estimate with the bounds of its confidence interval."""

    estimate: float
    low: float
    high: float


def mean_interval(samples: ArrayLike, level: float = 0.95) -> Interval:
    """Mean of independent samples [n] with its Student-t interval; bounds are NaN below two samples."""
    from scipy import stats

    values = np.asarray(samples, dtype=np.float64)
    mean = float(values.mean())
    if values.size < 2:
        return Interval(mean, float("nan"), float("nan"))
    half = float(stats.t.ppf(0.5 + level / 2, values.size - 1)) * float(values.std(ddof=1)) / values.size**0.5
    return Interval(mean, mean - half, mean + half)


def bootstrap_indices(replicates: int, draws: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Rows of replicate numbers [draws, replicates], drawn with replacement; at least two of each draw differ.

    A draw of one replicate alone has no variance to take the logarithm of, so its last entry is moved on.
    """
    rows = generator.integers(0, replicates, size=(draws, replicates))
    alone = (rows == rows[:, :1]).all(axis=1)
    rows[alone, -1] = (rows[alone, -1] + 1) % replicates
    return np.asarray(rows)


def percentile_interval(estimate: float, draws: ArrayLike, level: float = 0.95) -> Interval:
    """Bootstrap percentile interval around an estimate."""
    low, high = np.quantile(np.asarray(draws, dtype=np.float64), [0.5 - level / 2, 0.5 + level / 2])
    return Interval(estimate, float(low), float(high))


def ranks(values: ArrayLike) -> Vector:
    """Average ranks along the last axis, from 1."""
    from scipy import stats

    return np.asarray(stats.rankdata(np.asarray(values, dtype=np.float64), axis=-1))


def spearman(values: ArrayLike, reference: ArrayLike) -> Vector:
    """Spearman correlation of each row of values [..., n] with a reference [n]; 0 where a side is constant."""
    a, b = ranks(values), ranks(reference)
    a = a - a.mean(axis=-1, keepdims=True)
    b = b - b.mean(axis=-1, keepdims=True)
    scale = np.sqrt((a**2).sum(axis=-1) * (b**2).sum(axis=-1))
    return np.asarray(np.divide((a * b).sum(axis=-1), scale, out=np.zeros_like(scale), where=scale > 0))


def detection_auc(values: ArrayLike, clean: ArrayLike) -> Vector:
    """ROC-AUC of finding the corrupted rows by low value, for each row of values [..., n]; ties count one half.

    Raises ValueError when every row is clean or every row is corrupted, since no ranking can then be judged.
    """
    is_clean = np.asarray(clean, dtype=bool)
    good, bad = int(is_clean.sum()), int((~is_clean).sum())
    if good == 0 or bad == 0:
        raise ValueError(f"detection needs clean and corrupted rows, got {good} clean and {bad} corrupted")
    rank_sum = ranks(values)[..., is_clean].sum(axis=-1)
    return np.asarray((rank_sum - good * (good + 1) / 2) / (good * bad))


def detection_precision(values: ArrayLike, clean: ArrayLike) -> Vector:
    """Share of corrupted rows among the m lowest of values [..., n], where m rows are corrupted; ties count by share.

    Raises ValueError when no row is corrupted.
    """
    scores, bad = np.asarray(values, dtype=np.float64), ~np.asarray(clean, dtype=bool)
    sought = int(bad.sum())
    if sought == 0:
        raise ValueError("precision needs a corrupted row, got none")
    border = np.sort(scores, axis=-1)[..., sought - 1 : sought]
    below, level = scores < border, scores == border
    part = (sought - below.sum(axis=-1, keepdims=True)) / level.sum(axis=-1, keepdims=True)
    return np.asarray((((below + part * level) * bad).sum(axis=-1)) / sought)


def estimation_uncertainty(values: ArrayLike) -> float:
    """Variance over replicates of values [R, n], averaged over the n rows."""
    return float(np.asarray(values, dtype=np.float64).var(axis=0, ddof=1).mean())


def scaled_uncertainty(values: ArrayLike, reference: ArrayLike) -> float:
    """Estimation uncertainty of values [R, n] in units of their signal of a reference [n].

    ``EU / (slope^2 Var_j reference)``, slope being that of the mean values on the reference: estimates that are all alike, or
    all shrunk alike, gain nothing by it. Far above 1 there is no signal left, and the figure itself is little but noise.
    Infinite where the slope is zero.
    """
    estimates, truth = np.asarray(values, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    centred = truth - truth.mean()
    signal = float(centred @ estimates.mean(axis=0)) ** 2 / float(centred @ centred) / (truth.size - 1)
    return estimation_uncertainty(estimates) / signal if signal > 0 else float("inf")


def log_log_slope(positions: Sequence[float], heights: ArrayLike) -> Vector:
    """Least-squares slope of log(heights [..., k]) on log(positions [k])."""
    x = np.log(np.asarray(positions, dtype=np.float64))
    y = np.log(np.asarray(heights, dtype=np.float64))
    x = x - x.mean()
    return np.asarray((y * x).sum(axis=-1) / (x**2).sum())
