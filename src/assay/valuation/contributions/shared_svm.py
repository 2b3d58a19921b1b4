"""Contributions to model=svm: distances between rows are computed once for all points of a subset."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from assay.learning.models import Model
from assay.learning.models.svm import Svm
from assay.valuation.contributions.refits import SEED, Refits, RefitSolver, SubsetResult, with_row
from assay.valuation.contributions.scores import scores
from assay.valuation.contributions.setting import Labelled, Setting
from assay.valuation.contributions.solver import Integers

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SharedDistances:
    """A `SubsetJob` of one machine for the subset and one for each point, all with kernels of the same squared distances.

    A subset that lacks a class is left to `Refits`, whose points count as fallbacks.
    """

    setting: Setting

    def __call__(self, rows: Integers, points: Integers) -> SubsetResult:
        """Contributions of the points."""
        of = self.setting
        subset, joining = of.pool.take(rows), of.points.take(points)
        if len(np.unique(subset.target)) != of.classes:
            refitted = Refits(of)(rows, points)
            return SubsetResult(refitted.delta, refitted.utility, len(points))
        size = len(rows)
        within, across = np.zeros((size + 1, size + 1)), np.empty((len(of.valid), size + 1))
        within[:size, :size] = cdist(subset.features, subset.features, "sqeuclidean")
        across[:, :size] = cdist(of.valid.features, subset.features, "sqeuclidean")
        alone = self._utility(subset, within[:size, :size], across[:, :size])
        delta = np.empty(len(points))
        for place in range(len(points)):
            row = joining.features[place : place + 1]
            within[size, :size] = within[:size, size] = cdist(row, subset.features, "sqeuclidean")[0]
            across[:, size] = cdist(of.valid.features, row, "sqeuclidean")[:, 0]
            delta[place] = self._utility(with_row(subset, joining, place), within, across) - alone
        return SubsetResult(delta, alone)

    def _utility(self, rows: Labelled, within: Floats, across: Floats) -> float:
        """Utility of the machine on rows with squared distances `within` [k, k], and `across` [V, k] to those of valid."""
        from sklearn.svm import SVC

        of, spread = self.setting, rows.features.var()
        width = 1.0 / (rows.features.shape[1] * spread) if spread else 1.0  # what scikit-learn calls gamma=scale
        machine = SVC(C=1.0, kernel="precomputed", probability=True, random_state=SEED)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The `probability` parameter was deprecated")
            machine.fit(np.exp(-width * within), rows.target)
        kernel = np.zeros_like(across)  # only the columns of support vectors are read
        kernel[:, machine.support_] = np.exp(-width * across[:, machine.support_])
        return float(scores(machine.predict_proba(kernel), of.valid.target, of.kind, of.utility))


class SharedSvmSolver(RefitSolver):
    """Results of `RefitSolver` for model=svm, about twice as fast; the same up to the tolerance of the library's solver.

    ValueError for another model; InputError where the model does not fit the target or the utility.
    """

    def __init__(self, setting: Setting, workers: int = 1) -> None:
        if not self.serves(setting.model):
            raise ValueError("only model=svm has kernels to share")
        super().__init__(setting, workers, SharedDistances(setting))

    @staticmethod
    def serves(model: Model) -> bool:
        """True of `Svm`."""
        return type(model) is Svm
