"""Marginal contributions of rows to binary logistic regression: one fit for each subset, all points added in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from assay.errors import InputError
from assay.learning.solvers.newton import Fit, newton_fit
from assay.valuation.contributions.margins import SMOOTH, Odds, no_expansion
from assay.valuation.contributions.newton_steps import BLOCK, FEW, Curve, corrected, proximal_step
from assay.valuation.contributions.setting import Labelled, Setting
from assay.valuation.contributions.solver import Level, Solved, gathered

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Real = NDArray[Any]


def signed(rows: Labelled, intercept: bool) -> Floats:
    """Rows [n, D], with a one where there is an intercept, times +1 for class 1 and -1 for class 0."""
    features = np.asarray(rows.features, np.float64)
    if intercept:
        features = np.hstack([features, np.ones((len(features), 1))])
    return features * np.where(rows.target == 1, 1.0, -1.0)[:, None]


class BinaryLogisticSolver:
    """Contributions to logistic regression as scikit-learn fits it at C=1, without a fit for each point.

    level=cheap: the proximal point of each row, and the quadratic expansion of the utility about the subset's fit.
    level=exact: corrected steps to the fit with the row, refitted whole where they do not settle, and the change of the
    utility itself. A subset of one class is a model certain of it, as `learning.learners` has it; a point of the other class
    is then fitted whole at either level, and counts as a fallback. InputError for accuracy at level=cheap and for other than
    two classes.
    """

    def __init__(self, setting: Setting, level: Level = "exact") -> None:
        if setting.kind != "classification" or setting.classes != 2:
            limit = "needs a target of two classes"
            raise InputError(
                "dataset.name", f"{setting.kind} of {setting.classes} classes", limit, "use another solver"
            )
        if level == "cheap" and setting.utility not in SMOOTH:
            raise no_expansion()
        self.setting, self.level = setting, level
        intercept = setting.intercept
        self.points, self.pool = signed(setting.points, intercept), signed(setting.pool, intercept)
        self.valid = signed(setting.valid, intercept)
        self._sign = np.where(setting.valid.target == 1, 1.0, -1.0)
        self._valid_single = self.valid.astype(np.float32)
        self._points_single = self.points.astype(np.float32)
        self.penalty = np.ones(self.pool.shape[1])
        self.penalty[len(self.penalty) - intercept :] = 0.0
        self._starts: dict[int, Floats] = {}

    def shared(self, subsets: Sequence[Integers]) -> Solved:
        """Contributions of every point to every subset (positions in the pool): delta [n, S]."""
        everyone = np.arange(len(self.points))
        return gathered([self._contributions(subset, everyone) for subset in subsets], len(everyone))

    def fresh(self, subsets: Sequence[Integers], points: Integers) -> Solved:
        """Contribution of point `points[s]` to subset s alone: delta [1, S]."""
        pairs = zip(subsets, points, strict=True)
        return gathered([self._contributions(subset, np.array([point])) for subset, point in pairs], 1)

    def _contributions(self, subset: Integers, chosen: Integers) -> tuple[Floats, float, int]:
        """Contributions [n] of the chosen points, the subset's own utility, and the number of fallbacks."""
        classes = np.unique(self.setting.pool.target[subset])
        if len(classes) < 2:
            return self._to_one_class(subset, chosen, int(classes[0]))
        rows = self.pool[subset]
        fit = newton_fit(rows, self.penalty, self.start(len(subset)))
        inverse, _ = lapack.dtrtri(fit.factor, lower=1)
        margin = self.valid @ fit.weights
        utility = self._utility(margin)
        if self.level == "cheap":
            return self._expanded(fit, inverse, margin, chosen), utility, 0
        delta, again = self._corrected(rows, fit, inverse, margin, chosen)
        return delta, utility, again

    def start(self, size: int) -> Floats:
        """Where fits to subsets of about this size start: the fit to the pool with each row counted size/N times."""
        step = round(2 * np.log2(size))
        if step not in self._starts:
            weight = len(self.pool) / 2.0 ** (step / 2)
            fit = newton_fit(self.pool, np.maximum(self.penalty * weight, 1e-3), np.zeros(len(self.penalty)))
            self._starts[step] = fit.weights
        return self._starts[step]

    def _utility(self, margin: Floats) -> float:
        if self.setting.utility == "accuracy":
            return float((self._right(margin)).mean())
        return -float(SMOOTH[self.setting.utility].loss(margin).mean())

    def _right(self, margin: Real) -> NDArray[np.bool_]:
        """Rows [..., V] whose class is predicted; class 0 at even odds, as scikit-learn has it."""
        return np.where(self._sign > 0, margin > 0, margin >= 0)

    def _expanded(self, fit: Fit, inverse: Floats, margin: Floats, chosen: Integers) -> Floats:
        """-t g'z~ - t^2/2 z~'M z~ with t the proximal step, g and M gradient and Hessian of the loss on validation rows."""
        slope, bend = SMOOTH[self.setting.utility].derivatives(margin)
        count = len(margin)
        gradient = inverse @ (slope @ self.valid) / count
        points = self.points[chosen] @ inverse.T if len(chosen) < FEW else None
        if points is None:
            valid = self._valid_single
            curved = np.float64(valid.T @ (valid * bend.astype(np.float32)[:, None])) / count
            root = inverse.astype(np.float32)
            mine: Real = self._points_single[chosen] @ root.T
            bent = mine @ (inverse @ curved @ inverse.T).astype(np.float32)
            quadratic = np.einsum("nd,nd->n", mine, bent)
        else:
            mine = points
            quadratic = ((mine @ (inverse @ self.valid.T)) ** 2 @ bend) / count
        leverage = np.einsum("nd,nd->n", mine, mine).astype(np.float64)
        step = proximal_step(self.points[chosen] @ fit.weights, leverage)
        return np.asarray(-step * (mine @ gradient) - 0.5 * step**2 * quadratic, np.float64)

    def _corrected(
        self, rows: Floats, fit: Fit, inverse: Floats, margin: Floats, chosen: Integers
    ) -> tuple[Floats, int]:
        many = len(chosen) >= FEW
        dtype = np.float32 if many else np.float64
        curve = Curve.of(rows, inverse, fit.margin, fit.curvature, dtype, many)
        mine = (self._points_single if many else self.points)[chosen] @ curve.inverse.T
        leverage = np.einsum("nd,nd->n", mine, mine).astype(np.float64)
        at = corrected(curve, mine, self.points[chosen] @ fit.weights, leverage)
        delta = self._changes(margin, at.position @ curve.inverse)
        again = np.flatnonzero(at.unsettled)
        for place in again:
            weights = self._refit(rows, chosen[place], fit.weights)
            delta[place] = self._changes(margin, (weights - fit.weights)[None])[0]
        return delta, len(again)

    def _refit(self, rows: Floats, point: int, start: Floats) -> Floats:
        return newton_fit(np.vstack([rows, self.points[point]]), self.penalty, start, decrement=1e-5).weights

    def _changes(self, margin: Floats, moved: Real) -> Floats:
        """Changes of the utility [n] when the weights change by `moved` [n, D] from those of margins [V]."""
        valid = self._valid_single if moved.dtype == np.float32 else self.valid
        if self.setting.utility == "accuracy":
            before, base = self._right(margin).sum(), margin.astype(moved.dtype)
            after = [self._right(base + each @ valid.T).sum(axis=1) for each in _blocks(moved)]
            return (np.concatenate(after) - float(before)) / len(margin)
        odds = Odds.of(margin, moved.dtype.type)
        change = SMOOTH[self.setting.utility].change
        sums = [change(odds, each @ valid.T).sum(axis=1, dtype=np.float64) for each in _blocks(moved)]
        return -np.concatenate(sums) / len(margin)

    def _to_one_class(self, subset: Integers, chosen: Integers, only: int) -> tuple[Floats, float, int]:
        certain = self.setting.valid.target == only
        accuracy = self.setting.utility == "accuracy"
        utility = float(certain.mean()) if accuracy else SMOOTH[self.setting.utility].of_constant(certain)
        other = np.flatnonzero(self.setting.points.target[chosen] != only)
        delta, rows = np.zeros(len(chosen)), self.pool[subset]
        for place in other:
            weights = self._refit(rows, chosen[place], np.zeros(len(self.penalty)))
            delta[place] = self._utility(self.valid @ weights) - utility
        return delta, utility, len(other)


def _blocks(rows: Real) -> list[Real]:
    return [rows[first : first + BLOCK] for first in range(0, len(rows), BLOCK)]
