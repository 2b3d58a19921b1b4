"""Comparison of estimated laws with means over subsets of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.statistics import spearman
from assay.valuation.laws.fit_quality import Accuracy, accuracy, accuracy_of

if TYPE_CHECKING:
    from assay.valuation.contributions.samples import CardinalityMeans
    from assay.valuation.laws.laws import Laws, Predicted

NAMES = ("r2", "pearson", "spearman", "sign_agreement", "coverage")


@dataclass(frozen=True, eq=False)
class Truth:
    """Mean contributions at a grid of cardinalities, and distributional Shapley values over a range of them."""

    means: CardinalityMeans
    shapley: Predicted
    smallest: int
    largest: int

    def reliability(self) -> dict[str, float]:
        """The share of the variance over points that is not the truth's own noise: no R^2 can be shown beyond it."""
        noise = (self.means.std_error**2).mean(axis=0) / self.means.mean.var(axis=0)
        shares = {f"psi_{size}": 1 - float(part) for size, part in zip(self.means.cardinalities, noise, strict=True)}
        shapley = float((self.shapley.std_error**2).mean() / self.shapley.mean.var())
        across = spearman(self.means.mean[:, 0], self.means.mean[:, -1])
        return {**shares, "shapley": 1 - shapley, "rank_correlation": float(across)}


def score_laws(laws: Laws, truth: Truth, level: float) -> dict[str, dict[str, float]]:
    """Scores by quantity (psi_<k> and shapley): R^2, correlations, agreement of signs, coverage of intervals of that level."""
    by_size = accuracy_of(laws, truth.means, level)
    shapley = accuracy(laws.over(truth.smallest, truth.largest), truth.shapley.mean, truth.shapley.std_error, level)
    scores = {f"psi_{size}": _at(by_size, place) for place, size in enumerate(truth.means.cardinalities)}
    mean = {name: float(np.mean([each[name] for each in scores.values()])) for name in NAMES}
    return {"shapley": _at(shapley, 0), **scores, "psi": mean}


def _at(scores: Accuracy, place: int) -> dict[str, float]:
    columns = scores.r_squared, scores.pearson, scores.spearman, scores.sign_agreement, scores.coverage
    return {name: float(column[place]) for name, column in zip(NAMES, columns, strict=True)}
