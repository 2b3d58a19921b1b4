"""Binary logistic regression with a quadratic penalty, fitted by Newton's method.

Rows are signed throughout: a row of class 1 is its features (and a one for the intercept), a row of class 0 minus that.
The objective is the sum of log(1 + exp(-margin)) over rows plus the sum of penalty * weight^2 / 2: what scikit-learn's
LogisticRegression minimises at C=1, with a penalty of 1 for each feature and 0 for the intercept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.special import expit

Floats = NDArray[np.float64]

# The Newton decrement below which one more step is the last: its error is of the order of the decrement's square.
SMALL_DECREMENT = 1e-4
MOST_STEPS = 200
SUFFICIENT = 1e-4


@dataclass(frozen=True, eq=False)
class Fit:
    """Weights [D] at the optimum, margins [k] of the signed rows, and the lower Cholesky factor [D, D] of a Hessian.

    The Hessian is that of the last step but one: its row weights are `curvature` [k]. It differs from the optimum's by the
    order of the last step.
    """

    weights: Floats
    margin: Floats
    curvature: Floats
    factor: Floats
    steps: int


def objective(margin: Floats, weights: Floats, penalty: Floats) -> float:
    """Sum of log-losses at the margins [k] plus the penalty of the weights [D]."""
    losses = np.log1p(np.exp(-np.abs(margin))) + np.maximum(-margin, 0.0)
    return float(losses.sum() + 0.5 * (penalty * weights**2).sum())


def newton_fit(
    rows: Floats, penalty: Floats, start: Floats, *, decrement: float = SMALL_DECREMENT, line_search: bool = True
) -> Fit:
    """The minimum over weights [D] for signed rows [k, D], from `start`; both classes must be present, or no penalty 0.

    Raises ArithmeticError if Newton's method with backtracking does not get there, which a convex objective rules out.
    `line_search=False` takes full steps, which diverge on some small subsets: tests show that.
    """
    weights = start.copy()
    margin = rows @ weights
    value = objective(margin, weights, penalty)
    diagonal = np.arange(len(penalty))
    for taken in range(1, MOST_STEPS + 1):
        miss = expit(-margin)
        curvature = miss * (1.0 - miss)
        scaled = rows * np.sqrt(curvature)[:, None]
        hessian = scaled.T @ scaled
        hessian[diagonal, diagonal] += penalty
        factor, failed = lapack.dpotrf(hessian, lower=1, clean=1)
        if failed:  # curvature has underflowed along the intercept: far from the optimum, any positive matrix descends
            hessian[diagonal, diagonal] += 1e-8 * (1.0 + hessian.trace())
            factor, failed = lapack.dpotrf(hessian, lower=1, clean=1)
        slope = rows.T @ miss - penalty * weights
        step, _ = lapack.dpotrs(factor, slope, lower=1)
        decreases = float(slope @ step)
        if failed or not np.isfinite(decreases):
            break
        moved = rows @ step
        if decreases <= decrement**2:
            return Fit(weights + step, margin + moved, curvature, factor, taken)
        length = 1.0
        reached = objective(margin + moved, weights + step, penalty)
        while line_search and not reached <= value - SUFFICIENT * length * decreases + 1e-13 * abs(value):
            length /= 2
            if length < 1e-10:
                break
            reached = objective(margin + length * moved, weights + length * step, penalty)
        weights, margin, value = weights + length * step, margin + length * moved, reached
    raise ArithmeticError(f"logistic regression on {len(rows)} rows did not converge in {MOST_STEPS} Newton steps")
