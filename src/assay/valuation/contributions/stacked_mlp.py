"""Contributions to model=mlp_adam: the networks of all points of a subset are trained side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from assay.learning.models import Model
from assay.learning.models.mlp import LARGEST_BATCH, MlpAdam
from assay.learning.solvers.stacked_networks import CodedRows, Networks, drawn_networks, outputs, trained
from assay.valuation.contributions.refits import SEED, Refits, RefitSolver, SubsetResult
from assay.valuation.contributions.scores import scores
from assay.valuation.contributions.setting import Labelled, Setting
from assay.valuation.contributions.solver import Integers

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SharedFits:
    """A `SubsetJob` that trains the networks of a subset and of the subset with each point in one pass of Adam.

    A subset that lacks a class, or has more rows than a batch, is left to `Refits`, whose points count as fallbacks.
    """

    setting: Setting

    def __call__(self, rows: Integers, points: Integers) -> SubsetResult:
        """Contributions of the points."""
        of = self.setting
        subset = of.pool.take(rows)
        present = len(np.unique(subset.target)) if of.kind == "classification" else 0
        if len(rows) + 1 > LARGEST_BATCH or present != of.classes:
            refitted = Refits(of)(rows, points)
            return SubsetResult(refitted.delta, refitted.utility, len(points))
        worth = self._utilities(subset, of.points.take(points))
        return SubsetResult(worth[1:] - worth[0], float(worth[0]))

    def _utilities(self, subset: Labelled, joining: Labelled) -> Floats:
        """Utilities [1 + n]: of the subset, and of the subset with each point."""
        of = self.setting
        model = of.model
        assert isinstance(model, MlpAdam)
        (hidden,) = model.hidden
        start = drawn_networks(subset.features.shape[1], hidden, max(1, of.classes if of.classes > 2 else 1), SEED)
        first = np.zeros(1, dtype=np.int64)  # stands for no row: its weight is 0
        features = np.concatenate([joining.features[first], joining.features])
        target = np.concatenate([joining.target[first], joining.target])
        weight = np.concatenate([np.zeros(1), np.ones(len(joining))])
        shared, joined = (
            CodedRows(subset.features, self._coded(subset.target)),
            CodedRows(features, self._coded(target)),
        )
        networks = trained(start, shared, joined, weight, of.kind, model.iterations)
        return self._scores(networks)

    def _coded(self, target: NDArray[np.float64] | Integers) -> Floats:
        """Targets [n, outputs]: numbers, 0 or 1, or indicators of three classes and more."""
        if self.setting.classes > 2:
            return np.eye(self.setting.classes)[target.astype(np.int64)]
        return target.astype(np.float64)[:, None]

    def _scores(self, networks: Networks) -> Floats:
        of = self.setting
        utilities = np.empty(len(networks))
        for block, values in outputs(networks, of.valid.features):
            predicted = values[..., 0] if of.kind == "regression" else _probabilities(values)
            utilities[block] = scores(predicted, of.valid.target, of.kind, of.utility)
        return utilities


def _probabilities(values: Floats) -> Floats:
    """Probabilities [..., classes] from one log odds [..., 1], or from as many outputs as classes."""
    if values.shape[-1] > 1:
        return np.asarray(softmax(values, axis=-1))
    second = expit(values)
    return np.concatenate([1 - second, second], axis=-1)


class SharedMlpSolver(RefitSolver):
    """Results of `RefitSolver` for model=mlp_adam, several times faster: the same networks from the same start.

    The steps are those of scikit-learn, its stopping rule included; rows are summed in another order, which shows from the
    14th digit on (and in the rare network whose stopping hangs on it). All in double precision: in single precision 200
    steps blow rounding up to a third of the contributions' spread [measured at d=10, k=1000]. ValueError for another model;
    InputError where the model does not fit the target or the utility.
    """

    def __init__(self, setting: Setting, workers: int = 1) -> None:
        if not self.serves(setting.model):
            raise ValueError("only model=mlp_adam with one hidden layer of rectifiers is trained side by side")
        super().__init__(setting, workers, SharedFits(setting))

    @staticmethod
    def serves(model: Model) -> bool:
        """True of `MlpAdam` with one hidden layer of rectifiers."""
        return type(model) is MlpAdam and len(model.hidden) == 1 and model.activation == "relu"
