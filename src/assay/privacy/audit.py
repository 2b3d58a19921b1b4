"""Audits of a release: lower bounds on epsilon from an attacker's scores in two worlds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Audit:
    """An attack's ROC-AUC, its true-positive rate at 1 % false positives, and the epsilon that it proves at 95 %."""

    auc: float
    tpr_at_1_percent: float
    epsilon: float


def audit_scores(inside: Vector, outside: Vector, delta: float = 0.0, level: float = 0.95) -> Audit:
    """Judges scores [m] of releases with the row as it is against scores [m] of the other world; high scores say "inside".

    Each event "score above t" and "score at most t" must obey P_1 <= e^eps P_0 + delta. The event is chosen on the first
    half, the bound comes from Clopper-Pearson intervals on the second, so that it holds at the stated level (two intervals
    share the error). Source: Jagielski et al. 2020; Nasr et al. 2021. ValueError for fewer than 20 scores a side.
    """
    if min(len(inside), len(outside)) < 20:
        raise ValueError("an audit needs 20 releases or more in each world")
    halves = [(scores[: len(scores) // 2], scores[len(scores) // 2 :]) for scores in (inside, outside)]
    (chosen_in, judged_in), (chosen_out, judged_out) = halves
    thresholds = np.quantile(np.concatenate([chosen_in, chosen_out]), np.linspace(0.005, 0.995, 199))
    events = [(t, above, swap) for t in np.unique(thresholds) for above in (True, False) for swap in (True, False)]
    best = max(events, key=lambda event: _bound(chosen_in, chosen_out, event, delta, level))
    epsilon = max(0.0, _bound(judged_in, judged_out, best, delta, level))
    cut = float(np.quantile(outside, 0.99, method="higher"))
    return Audit(_auc(inside, outside), float((inside > cut).mean()), epsilon)


def most_proven(trials: int, delta: float = 0.0) -> float:
    """The largest epsilon that `trials` releases in each world can prove: that of worlds which never look alike."""
    return audit_scores(np.ones(trials), np.zeros(trials), delta).epsilon


def _bound(inside: Vector, outside: Vector, event: tuple[float, bool, bool], delta: float, level: float) -> float:
    """Log ratio of an event's chances in the two worlds, or the other way round, its top at its low end, its bottom high."""
    threshold, above, swap = event
    worlds = [(scores > threshold) if above else (scores <= threshold) for scores in (inside, outside)]
    top, bottom = reversed(worlds) if swap else worlds
    low, high = _clopper_pearson(top, level)[0], _clopper_pearson(bottom, level)[1]
    return math.log((low - delta) / high) if low > delta else -math.inf


def _clopper_pearson(hits: NDArray[np.bool_], level: float) -> tuple[float, float]:
    from scipy import stats

    count, total, tail = int(hits.sum()), len(hits), (1 - level) / 2
    low = float(stats.beta.ppf(tail, count, total - count + 1)) if count else 0.0
    high = float(stats.beta.ppf(1 - tail, count + 1, total - count)) if count < total else 1.0
    return low, high


def _auc(inside: Vector, outside: Vector) -> float:
    from scipy import stats

    ranks = stats.rankdata(np.concatenate([inside, outside]))[: len(inside)]
    return float((ranks.sum() - len(inside) * (len(inside) + 1) / 2) / (len(inside) * len(outside)))
