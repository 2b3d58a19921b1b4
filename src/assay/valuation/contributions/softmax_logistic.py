"""Marginal contributions of rows to logistic regression of three classes or more: one fit a subset, points in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from assay.errors import InputError
from assay.learning.solvers.multinomial import SoftmaxObjective, contrasts, multinomial_fit, softmax, weighted_products
from assay.learning.solvers.newton import newton_fit
from assay.valuation.contributions.class_steps import Joining, Surface, corrected, proximal_pulls
from assay.valuation.contributions.logits import SMOOTH, Chances
from assay.valuation.contributions.margins import no_expansion
from assay.valuation.contributions.setting import Labelled, Setting
from assay.valuation.contributions.solver import Level, Solved, gathered
from assay.valuation.utilities import SMALLEST_PROBABILITY

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Real = NDArray[Any]

MOST_POOL_ROWS = 5000  # that starting weights are fitted to
BLOCK_NUMBERS = 400_000  # logits in memory at once


@dataclass(frozen=True, eq=False)
class _Start:
    """Weights [E, D] that fits to subsets of about one size start from, and the inverse Hessian there."""

    weights: Floats
    inverse: Floats


class SoftmaxLogisticSolver:
    """Contributions to multinomial logistic regression as scikit-learn fits it at C=1, without a fit for each point.

    level=cheap and level=exact are those of `BinaryLogisticSolver`. Classes that a subset lacks have probability 0 (in the
    loss: 1e-6), as scikit-learn's fit to it says; all points are then fitted whole at either level, and count as fallbacks.
    InputError for accuracy at level=cheap and for fewer than three classes.
    """

    def __init__(self, setting: Setting, level: Level = "exact") -> None:
        if setting.kind != "classification" or setting.classes < 3:
            limit = "needs a target of three classes or more"
            raise InputError(
                "dataset.name", f"{setting.kind} of {setting.classes} classes", limit, "use another solver"
            )
        if level == "cheap" and setting.utility not in SMOOTH:
            raise no_expansion()
        self.setting, self.level = setting, level
        self.points, self.pool, self.valid = (
            self._rows(part) for part in (setting.points, setting.pool, setting.valid)
        )
        self.labels = [part.target.astype(np.int64) for part in (setting.points, setting.pool, setting.valid)]
        self.penalty = np.ones(self.pool.shape[1])
        self.penalty[len(self.penalty) - setting.intercept :] = 0.0
        self.basis = contrasts(setting.classes)
        self._starts: dict[int, _Start] = {}

    def _rows(self, part: Labelled) -> Floats:
        features = np.asarray(part.features, np.float64)
        return np.hstack([features, np.ones((len(features), 1))]) if self.setting.intercept else features

    def shared(self, subsets: Sequence[Integers]) -> Solved:
        """Contributions of every point to every subset (positions in the pool): delta [n, S]."""
        everyone = np.arange(len(self.points))
        return gathered([self._contributions(subset, everyone) for subset in subsets], len(everyone))

    def fresh(self, subsets: Sequence[Integers], points: Integers) -> Solved:
        """Contribution of point `points[s]` to subset s alone: delta [1, S]."""
        pairs = zip(subsets, points, strict=True)
        return gathered([self._contributions(subset, np.array([point])) for subset, point in pairs], 1)

    def start(self, size: int) -> _Start:
        """Where fits to subsets of about this size start: the fit to the pool with each row counted size/N times."""
        step = round(2 * np.log2(size))
        if step not in self._starts:
            chosen = np.arange(0, len(self.pool), max(1, len(self.pool) // MOST_POOL_ROWS))
            weight = 2.0 ** (step / 2) / len(chosen)
            objective = SoftmaxObjective(
                self.pool[chosen], self.labels[1][chosen], np.maximum(self.penalty, 1e-3), self.basis, weight
            )
            blank = np.zeros((self.basis.shape[1], len(self.penalty)))
            weights = multinomial_fit(objective, blank, decrement=1e-3)
            inverse = _inverted(objective.hessian(softmax(objective.logits(weights))))
            self._starts[step] = _Start(weights, inverse)
        return self._starts[step]

    def _contributions(self, subset: Integers, chosen: Integers) -> tuple[Floats, float, int]:
        """Contributions [n] of the chosen points, the subset's own utility, and the number of fallbacks."""
        labels = self.labels[1][subset]
        if len(np.unique(labels)) < self.setting.classes:
            return self._whole(subset, chosen)
        start = self.start(len(subset))
        objective = SoftmaxObjective(self.pool[subset], labels, self.penalty, self.basis)
        weights = multinomial_fit(objective, start.weights, start.inverse)
        logits = objective.logits(weights)
        inverse = _inverted(objective.hessian(softmax(logits)))
        judged = self.valid @ weights.T @ self.basis.T
        surface = Surface(
            objective.rows.astype(np.float32),
            Chances.of(logits, labels, np.float32),
            inverse.astype(np.float32),
            self.basis.astype(np.float32),
        )
        utility = self._utility(judged)
        if self.level == "cheap":
            return self._expanded(surface, weights, judged, chosen), utility, 0
        delta, again = self._corrected(objective, surface, weights, judged, chosen)
        return delta, utility, again

    def _joining(self, surface: Surface, weights: Floats, chosen: Integers) -> list[tuple[slice, Joining]]:
        """The chosen points in blocks that fit a cache."""
        size = max(16, BLOCK_NUMBERS // (len(self.basis) * max(len(surface.rows), 2 * len(self.penalty))))
        blocks = []
        for first in range(0, len(chosen), size):
            part = chosen[first : first + size]
            rows = self.points[part]
            at = rows @ weights.T @ self.basis.T
            joining = Joining.of(surface, rows.astype(np.float32), at, self.labels[0][part])
            blocks.append((slice(first, first + size), joining))
        return blocks

    def _expanded(self, surface: Surface, weights: Floats, judged: Floats, chosen: Integers) -> Floats:
        """-g's - s'M s / 2 at the proximal step s, with g and M gradient and Hessian of the loss on validation rows."""
        slope, bend = SMOOTH[self.setting.utility].derivatives(judged, self.labels[2])
        gradient = ((slope @ self.basis).T @ self.valid).ravel() / len(judged)
        turned = (self.basis.T @ bend @ self.basis).astype(np.float32)
        curved = weighted_products(self.valid.astype(np.float32), turned) / np.float32(len(judged))
        delta = np.empty(len(chosen))
        for part, joining in self._joining(surface, weights, chosen):
            step = joining.step(proximal_pulls(joining.logits, joining.labels, joining.leverage, self.basis))
            delta[part] = -(step @ gradient) - 0.5 * np.einsum("np,np->n", step @ curved, step)
        if not np.isfinite(delta).all():
            raise ArithmeticError(
                "a proximal step did not converge (use valuation.level=exact, which fits such rows whole)"
            )
        return delta

    def _utility(self, logits: Floats) -> float:
        """Of logits [V, C], minus infinity for a class that the model does not know."""
        labels = self.labels[2]
        if self.setting.utility == "accuracy":
            return float((logits.argmax(axis=1) == labels).mean())
        known: NDArray[np.bool_] = np.asarray(np.isfinite(logits).all(axis=0))
        losses = SMOOTH[self.setting.utility].loss(np.where(known, logits, -1e9), labels)
        if self.setting.utility == "negative_loss":
            losses = np.where(known[labels], losses, -np.log(SMALLEST_PROBABILITY))
        return -float(losses.mean())

    def _corrected(
        self, objective: SoftmaxObjective, surface: Surface, weights: Floats, judged: Floats, chosen: Integers
    ) -> tuple[Floats, int]:
        delta, again = np.empty(len(chosen)), 0
        inverse = self.start(len(objective.rows)).inverse
        for part, joining in self._joining(surface, weights, chosen):
            step, unsettled = corrected(surface, joining, self.basis)
            for place in np.flatnonzero(unsettled):
                point = chosen[part][place]
                joined = _with(objective, self.points[point], int(self.labels[0][point]))
                step[place] = (multinomial_fit(joined, weights, inverse) - weights).ravel()
                again += 1
            delta[part] = self._changes(judged, step, surface.basis)
        return delta, again

    def _changes(self, judged: Floats, step: Real, basis: Real) -> Floats:
        """Changes of the utility [n] when the weights change by `step` [n, E D] from those of logits [V, C]."""
        labels, changes, count = self.labels[2], [], len(judged)
        valid, chances = self.valid.astype(step.dtype), Chances.of(judged, labels, step.dtype.type)
        size = max(1, BLOCK_NUMBERS // (count * len(basis)))
        for first in range(0, len(step), size):
            part = step[first : first + size]
            weights = basis @ part.reshape(len(part), basis.shape[1], -1)
            moved = (weights.reshape(-1, weights.shape[2]) @ valid.T).reshape(len(part), len(basis), count)
            if self.setting.utility == "accuracy":
                moved += judged.T.astype(step.dtype)
                before = (judged.argmax(axis=1) == labels).sum()
                changes.append((moved.argmax(axis=1) == labels).sum(axis=1) - float(before))
            else:
                change = SMOOTH[self.setting.utility].change(chances, moved)
                changes.append(-change.sum(axis=1, dtype=np.float64))
        return np.concatenate(changes) / count

    def _whole(self, subset: Integers, chosen: Integers) -> tuple[Floats, float, int]:
        rows, labels = self.pool[subset], self.labels[1][subset]
        utility = self._utility(self._judged(rows, labels))
        delta = np.empty(len(chosen))
        for place, point in enumerate(chosen):
            joined = np.vstack([rows, self.points[point]]), np.append(labels, self.labels[0][point])
            delta[place] = self._utility(self._judged(*joined)) - utility
        return delta, utility, len(chosen)

    def _judged(self, rows: Floats, labels: Integers) -> Floats:
        """Logits [V, C] of a fit to whatever classes there are, minus infinity for the others."""
        present, codes = np.unique(labels, return_inverse=True)
        logits = np.full((len(self.valid), self.setting.classes), -np.inf)
        if len(present) == 1:
            logits[:, present] = 0.0
        elif len(present) == 2:  # scikit-learn then fits one weight vector, which is penalised differently
            fit = newton_fit(rows * np.where(codes == 1, 1.0, -1.0)[:, None], self.penalty, np.zeros(rows.shape[1]))
            logits[:, present[0]], logits[:, present[1]] = 0.0, self.valid @ fit.weights
        else:
            basis = contrasts(len(present))
            blank = np.zeros((basis.shape[1], rows.shape[1]))
            weights = multinomial_fit(SoftmaxObjective(rows, codes, self.penalty, basis), blank)
            logits[:, present] = self.valid @ weights.T @ basis.T
        return logits


def _with(objective: SoftmaxObjective, row: Floats, label: int) -> SoftmaxObjective:
    return SoftmaxObjective(
        np.vstack([objective.rows, row]), np.append(objective.labels, label), objective.penalty, objective.basis
    )


def _inverted(matrix: Floats) -> Floats:
    """The inverse of a positive definite matrix."""
    factor, failed = lapack.dpotrf(matrix, lower=1, clean=1)
    if failed:
        raise ArithmeticError("the Hessian of a logistic regression is not positive definite")
    inverse, _ = lapack.dpotri(factor, lower=1)
    return np.asarray(np.tril(inverse) + np.tril(inverse, -1).T)
