"""Points, the pool that subsets are drawn from, and the judge of fitted models."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assay.data import Arrays, PreparedData
from assay.errors import InputError
from assay.learning.models import Model, Shape
from assay.learning.models.affine import Affine

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# negative_loss: minus the mean cross-entropy in nats, or minus the mean squared error.
# softmax_of_probabilities: minus the cross-entropy of the softmax of the predicted PROBABILITIES: a second softmax, as in the
# paper's own code. Bounded and flatter.
# accuracy: share of right classes. population_risk: minus the excess squared error over the population, for data whose
# population is known.
ScalingUtility = Literal["negative_loss", "softmax_of_probabilities", "accuracy", "population_risk"]


@dataclass(frozen=True, eq=False)
class Labelled:
    """Rows as a solver wants them: features [n, d], target [n] (float, or int64 classes)."""

    features: Floats
    target: NDArray[np.float64] | Integers

    def __len__(self) -> int:
        return len(self.target)

    def take(self, rows: Integers) -> Labelled:
        """The rows at the given positions."""
        return Labelled(self.features[rows], self.target[rows])


@dataclass(frozen=True, eq=False)
class Setting:
    """A problem of marginal contributions: `points` [n] join subsets of `pool` [N]; models are judged on `valid` [V].

    The points are not in the pool, so that no subset holds the point that joins it. `coefficients` [d] are those of a
    linear population whose features are independent, of mean 0 and of variance 1: utility=population_risk needs them.
    `model` is one that `Model.resolved` gives.
    """

    points: Labelled
    pool: Labelled
    valid: Labelled
    kind: str  # regression | classification
    classes: int  # 0 for regression
    model: Model
    utility: ScalingUtility = "negative_loss"
    modality: str = "table"
    coefficients: Floats | None = None

    @property
    def shape(self) -> Shape:
        """The shape of the problem, as a learner needs it."""
        return Shape(self.kind, self.classes, self.pool.features.shape[1], self.modality)

    @property
    def intercept(self) -> bool:
        """True of an affine model with an intercept; ValueError for another model."""
        if not isinstance(self.model, Affine):
            raise ValueError(f"model={self.model.name} is not affine")
        return self.model.intercept

    def with_points(self, rows: Integers) -> Setting:
        """The same with some of the points."""
        return replace(self, points=self.points.take(rows))


def labelled(part: Arrays, rows: Integers | None = None) -> Labelled:
    """Some rows of a split, or all of them."""
    chosen = np.arange(len(part)) if rows is None else rows
    return Labelled(part.features[chosen], part.target[chosen])


def setting_of(data: PreparedData, points: Integers, pool: Integers, model: Model, utility: ScalingUtility) -> Setting:
    """The setting in which some train rows join subsets of others; InputError when a row is in both, or a part is empty."""
    if len(points) == 0 or len(pool) == 0:
        raise InputError("dataset.split.train", len(data.train), "leaves no row to value or to draw from", "raise it")
    if np.intersect1d(points, pool).size:
        raise ValueError("points and pool must be different rows")
    if data.kind == "classification" and len(np.unique(data.train.target[pool])) < 2:
        limit = "leaves rows of one class only to draw from"
        raise InputError("dataset.split.train", len(data.train), limit, "raise it, or use fewer points or larger folds")
    if data.kind == "regression" and utility in ("softmax_of_probabilities", "accuracy"):
        limit = "needs a classification target"
        raise InputError("valuation.utility", utility, limit, "use valuation.utility=negative_loss")
    return Setting(
        labelled(data.train, points),
        labelled(data.train, pool),
        labelled(data.valid),
        data.kind,
        len(data.classes),
        model.resolved(data.kind, data.modality),
        utility,
        data.modality,
        data.population.coefficients if data.population is not None and data.kind == "regression" else None,
    )
