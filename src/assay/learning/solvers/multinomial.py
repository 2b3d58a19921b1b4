"""Multinomial logistic regression with a quadratic penalty, fitted by Newton's method with conjugate gradients.

Weights are [E, D] for C = E + 1 classes, in an orthonormal basis of the logits that sum to zero: no direction is free, the
penalty is that of all C weight vectors, and the optimum is scikit-learn's at C=1 (three classes or more).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Real = NDArray[Any]

SMALL_DECREMENT = 1e-7
MOST_STEPS = 200


def contrasts(classes: int) -> Floats:
    """Orthonormal basis [C, C - 1] of what sums to zero over classes."""
    full = np.eye(classes) - 1.0 / classes
    basis, _, _ = np.linalg.svd(full)
    return np.asarray(basis[:, : classes - 1])


def log_sum_exp(logits: Real, axis: int = -1) -> Real:
    """log of the sum of exponentials over an axis, which stays as one of length 1."""
    top = logits.max(axis=axis, keepdims=True)
    return np.asarray(top + np.log(np.exp(logits - top).sum(axis=axis, keepdims=True)))


def softmax(logits: Floats) -> Floats:
    """Probabilities over the last axis."""
    return np.asarray(np.exp(logits - log_sum_exp(logits)))


def in_contrasts(probabilities: Floats, basis: Floats) -> Floats:
    """The curvature Q' (diag p - p p') Q [k, E, E] of the log-loss in the logits, from p [k, C]."""
    turned = probabilities @ basis
    weighted = probabilities[:, :, None] * basis
    return np.asarray(basis.T @ weighted - turned[:, :, None] * turned[:, None, :])


def weighted_products(rows: Real, weights: Real) -> Real:
    """Sum over rows x [k, D] of weights [k, E, E] (x) x x', as a matrix [E D, E D] with the class outermost."""
    kinds, features = weights.shape[1], rows.shape[1]
    products = np.empty((kinds, features, kinds, features), rows.dtype)
    for first in range(kinds):
        scaled = (weights[:, first, first:, None] * rows[:, None, :]).reshape(len(rows), -1)
        block = (rows.T @ scaled).reshape(features, kinds - first, features)
        products[first, :, first:] = block
        products[first:, :, first] = block.transpose(1, 2, 0)
    return products.reshape(kinds * features, kinds * features)


@dataclass(frozen=True, eq=False)
class SoftmaxObjective:
    """Rows [k, D] with labels [k] of C classes, each counted `weight` times; penalty [D]; basis [C, E]."""

    rows: Floats
    labels: Integers
    penalty: Floats
    basis: Floats
    weight: float = 1.0

    def logits(self, weights: Floats) -> Floats:
        """[k, C] at weights [E, D]."""
        return np.asarray(self.rows @ weights.T @ self.basis.T)

    def value(self, logits: Floats, weights: Floats) -> float:
        """The objective."""
        losses = log_sum_exp(logits)[:, 0] - logits[np.arange(len(logits)), self.labels]
        return self.weight * float(losses.sum()) + 0.5 * float((self.penalty * weights**2).sum())

    def slope(self, probabilities: Floats, weights: Floats) -> Floats:
        """The gradient [E, D]."""
        excess = probabilities.copy()
        excess[np.arange(len(excess)), self.labels] -= 1.0
        return np.asarray(self.weight * (excess @ self.basis).T @ self.rows + self.penalty * weights)

    def curved(self, probabilities: Floats, along: Floats) -> Floats:
        """The Hessian times a direction [E, D]."""
        moved = self.logits(along)
        moved -= (probabilities * moved).sum(axis=1, keepdims=True)
        moved *= probabilities
        return np.asarray(self.weight * (moved @ self.basis).T @ self.rows + self.penalty * along)

    def hessian(self, probabilities: Floats) -> Floats:
        """The Hessian [E D, E D] at probabilities [k, C]."""
        curvature = weighted_products(self.rows, self.weight * in_contrasts(probabilities, self.basis))
        diagonal = np.arange(len(curvature))
        curvature[diagonal, diagonal] += np.tile(self.penalty, self.basis.shape[1])
        return np.asarray(curvature)


def multinomial_fit(
    problem: SoftmaxObjective, start: Floats, inverse: Floats | None = None, *, decrement: float = SMALL_DECREMENT
) -> Floats:
    """Weights [E, D] at the optimum, from `start`; `inverse` [E D, E D] of a Hessian like this one's makes it faster.

    All classes must be present when a penalty is 0. Raises ArithmeticError if the backtracking Newton method does not get
    there, which a convex objective rules out.
    """
    weights, logits = start.copy(), problem.logits(start)
    value = problem.value(logits, weights)
    forcing = 0.1
    for _ in range(MOST_STEPS):
        probabilities = softmax(logits)
        slope = problem.slope(probabilities, weights)
        step = _conjugate_gradients(problem, probabilities, -slope, inverse, forcing)
        decreases = -float((slope * step).sum())
        if not np.isfinite(decreases):
            break
        moved = problem.logits(step)
        if decreases <= decrement**2:
            return weights + step
        length, reached = 1.0, problem.value(logits + moved, weights + step)
        while not reached <= value - 1e-4 * length * decreases + 1e-13 * abs(value):
            length /= 2
            if length < 1e-10:
                break
            reached = problem.value(logits + length * moved, weights + length * step)
        weights, logits, value = weights + length * step, logits + length * moved, reached
        forcing = min(0.1, max(1e-3, decreases))
    raise ArithmeticError(
        f"logistic regression on {len(problem.rows)} rows did not converge in {MOST_STEPS} Newton steps"
    )


def _conjugate_gradients(
    problem: SoftmaxObjective, probabilities: Floats, wanted: Floats, inverse: Floats | None, forcing: float
) -> Floats:
    """Hessian^-1 wanted, until what is left is below `forcing` of it in the norm of the preconditioner."""

    def conditioned(each: Floats) -> Floats:
        return each if inverse is None else (inverse @ each.ravel()).reshape(each.shape)

    solution, left = np.zeros_like(wanted), wanted.copy()
    turned = conditioned(left)
    along, size = turned, float((left * turned).sum())
    first = size
    for _ in range(4 * wanted.size):
        if size <= forcing**2 * first or first == 0.0:
            break
        curved = problem.curved(probabilities, along)
        length = size / float((along * curved).sum())
        solution = solution + length * along
        left = left - length * curved
        turned = conditioned(left)
        last, size = size, float((left * turned).sum())
        along = turned + (size / last) * along
    return solution
