"""Contributions to a linear regression: exact, by rank-one updates of the subset's own fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular
from threadpoolctl import threadpool_limits

from assay.learning.models.affine import RIDGE
from assay.valuation.contributions.scores import population_coefficients
from assay.valuation.contributions.setting import Setting
from assay.valuation.contributions.solver import Integers, Level, Solved

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LinearFit:
    """Least squares on one subset: `factor` [p, p] is the lower Cholesky factor of X'X + penalty, `solution` [p]."""

    factor: Floats
    solution: Floats


@dataclass(frozen=True, eq=False)
class QuadraticUtility:
    """V(b) = -(b - centre)' root root' (b - centre) - rest: what a squared error is as a function of the solution b [p].

    `root` [p, p] may be singular.
    """

    root: Floats
    centre: Floats
    rest: float = 0.0

    def value(self, solution: Floats) -> float:
        """V of one solution [p]."""
        distance = self.root.T @ (solution - self.centre)
        return -float(distance @ distance) - self.rest


def fit_line(design: Floats, target: Floats, penalty: Floats) -> LinearFit:
    """Minimiser of |target - design b|^2 + sum penalty b^2; numpy's LinAlgError when it is not unique."""
    gram = design.T @ design
    gram.flat[:: len(gram) + 1] += penalty
    factor = cholesky(gram, lower=True, overwrite_a=True, check_finite=False)
    return LinearFit(factor, cho_solve((factor, True), design.T @ target, check_finite=False))


def joined(fit: LinearFit, design: Floats, target: Floats, utility: QuadraticUtility) -> Floats:
    """Gain in utility [n] when each of n rows joins the fit alone, exact (Sherman-Morrison).

    With A the Gram matrix, u = A^-1 x, h = x'u and t = (y - x'b) / (1 + h), the solution moves by t u, and the gain is
    -2 t (b - centre)' S u - t^2 u' S u for S = root root'.
    """
    whitened = solve_triangular(fit.factor, design.T, lower=True, check_finite=False)
    leverage = np.einsum("pn,pn->n", whitened, whitened)
    step = (target - design @ fit.solution) / (1 + leverage)
    # both quadratic forms are sums of squares, so nothing cancels
    moved = solve_triangular(fit.factor, utility.root, lower=True, check_finite=False).T @ whitened
    slope = utility.root.T @ (fit.solution - utility.centre) @ moved
    return np.asarray(-step * (2 * slope + step * np.einsum("pn,pn->n", moved, moved)))


def squared_error_utility(design: Floats, target: Floats) -> QuadraticUtility:
    """Minus the mean squared error on the rows of a design [V, p]: V(b) = -|R b - Q'y|^2 / V - |y - QQ'y|^2 / V."""
    orthogonal, triangular = np.linalg.qr(design, mode="reduced")
    centre, *_ = np.linalg.lstsq(triangular, orthogonal.T @ target, rcond=None)
    left = target - design @ centre
    root = np.zeros((design.shape[1], design.shape[1]))
    root[:, : len(triangular)] = triangular.T / np.sqrt(len(design))
    return QuadraticUtility(root, centre, float(left @ left) / len(design))


class LeastSquaresSolver:
    """Contributions to model=linear, exact at every level of a solver: two products of matrices for all points of a subset.

    Agrees with `Learner`: the penalty RIDGE on the coefficients and none on the intercept, so that subsets of no more rows
    than features have one answer too (there it is the penalty that decides, and contributions are large). `level` is
    cheap or exact, which are the same here. Raises InputError for population_risk without the population's coefficients.
    Source: Sherman & Morrison 1950.
    """

    def __init__(self, setting: Setting, level: Level = "exact") -> None:
        if level == "refit":
            raise ValueError("level=refit is for a RefitSolver")
        self.setting = setting
        self._points = self._design(setting.points.features)
        self._pool = self._design(setting.pool.features)
        self._penalty = np.full(self._pool.shape[1], RIDGE)
        if setting.intercept:
            self._penalty[-1] = 0.0
        self._utility = self._judged()

    def shared(self, subsets: Sequence[Integers]) -> Solved:
        """Contributions of every point to every subset (positions in the pool): delta [n, S]."""
        target = np.asarray(self.setting.points.target, dtype=np.float64)
        delta, worth = np.empty((len(target), len(subsets))), np.empty(len(subsets))
        with threadpool_limits(1):  # the same bytes in any process
            for place, rows in enumerate(subsets):
                fit = self._fit(rows)
                delta[:, place] = joined(fit, self._points, target, self._utility)
                worth[place] = self._utility.value(fit.solution)
        return Solved(delta, worth, fits=len(subsets), fallbacks=0)

    def fresh(self, subsets: Sequence[Integers], points: Integers) -> Solved:
        """Contribution of point `points[s]` to subset s alone: delta [1, S]."""
        targets = np.asarray(self.setting.points.target, dtype=np.float64)
        delta, worth = np.empty((1, len(subsets))), np.empty(len(subsets))
        with threadpool_limits(1):
            for place, (rows, point) in enumerate(zip(subsets, points, strict=True)):
                fit, one = self._fit(rows), slice(point, point + 1)
                delta[:, place] = joined(fit, self._points[one], targets[one], self._utility)
                worth[place] = self._utility.value(fit.solution)
        return Solved(delta, worth, fits=len(subsets), fallbacks=0)

    def _fit(self, rows: Integers) -> LinearFit:
        if len(rows) == 0:
            raise ValueError("a subset needs a row at the least")
        return fit_line(self._pool[rows], np.asarray(self.setting.pool.target[rows], dtype=np.float64), self._penalty)

    def _design(self, features: Floats) -> Floats:
        if not self.setting.intercept:
            return features
        return np.concatenate([features, np.ones((len(features), 1))], axis=1)

    def _judged(self) -> QuadraticUtility:
        if self.setting.utility == "population_risk":
            truth = population_coefficients(self.setting)
            centre = np.append(truth, 0.0) if self.setting.intercept else truth
            return QuadraticUtility(np.eye(len(centre)), centre)
        valid = self.setting.valid
        return squared_error_utility(self._design(valid.features), np.asarray(valid.target, dtype=np.float64))
