"""Steps from a subset's own fit to the fit with one more row, for many rows at once.

In coordinates y = L'(theta - theta_D), where L is the Cholesky factor of the subset's Hessian, that Hessian is the identity.
The fit with a signed row z solves  y = t z~ - X~' r(X~ y)  with  z~ = L^-1 z,  t = sigmoid(-(margin + z~'y))  and r_i what
the probability of row i changes by beyond its linear part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from assay.valuation.contributions.margins import Odds, probability_change

Floats = NDArray[np.float64]
Real = NDArray[Any]

# A point is settled when what is left is below this share of its step.
TOLERANCE = 1e-5
NEAR = 1e-3
LEAST_RATE = 0.01
MOST_STEPS = 25
MOST_SCALAR_STEPS = 100
BLOCK = 256
# Below this many points it is cheaper to whiten each step than the rows.
FEW = 32


def proximal_step(margin: Floats, leverage: Floats) -> Floats:
    """The root t in (0, 1) of t = sigmoid(-(margin + leverage t)) of each entry, leverage >= 0.

    theta + t H^-1 z minimises the row's own loss plus half the squared H-norm of the change: the proximal point. With
    x = logit t, F(x) = x + margin + leverage sigmoid(x) rises, is convex below 0 and concave above, so that Newton's method
    from x = 0 goes to the root on one side of it and never jumps over: the bracket is in the choice of x. [derived]
    """
    logit = np.zeros_like(margin)
    for _ in range(MOST_SCALAR_STEPS):
        step = expit(logit)
        change = (logit + margin + leverage * step) / (1.0 + leverage * step * (1.0 - step))
        logit -= change
        if np.abs(change).max(initial=0.0) < 1e-8:  # quadratic: the next would be at rounding
            break
    return np.asarray(expit(logit))


@dataclass(frozen=True, eq=False)
class Curve:
    """The subset's rows as corrections see them: their odds and the weights [k] that they have in the Hessian."""

    rows: Real  # [k, D], signed
    inverse: Real  # [D, D], of the Cholesky factor
    odds: Odds
    curvature: Real
    whitened: Real | None  # rows @ inverse.T, where there are many points

    @classmethod
    def of(cls, rows: Floats, inverse: Floats, margin: Floats, curvature: Floats, dtype: type, many: bool) -> Curve:
        """At a fit with these margins and row weights [k]."""
        typed: Real = rows.astype(dtype)
        root: Real = inverse.astype(dtype)
        return cls(typed, root, Odds.of(margin, dtype), curvature.astype(dtype), typed @ root.T if many else None)

    def pull(self, position: Real) -> Real:
        """The part that rows add beyond their quadratic terms at positions [n, D]: -X~' r, [n, D]."""
        through = self.whitened
        moved = position @ through.T if through is not None else (position @ self.inverse) @ self.rows.T
        bent = probability_change(self.odds, moved)
        moved *= self.curvature
        moved -= bent
        pulled: Real = moved @ through if through is not None else (moved @ self.rows) @ self.inverse.T
        return pulled


@dataclass(frozen=True, eq=False)
class Stepped:
    """Positions [n, D] with the points added, and which of them [n] did not settle."""

    position: Real
    unsettled: NDArray[np.bool_]
    steps: int


def corrected(
    curve: Curve, points: Real, margin: Floats, leverage: Floats, *, most: int = MOST_STEPS, accelerate: bool = True
) -> Stepped:
    """Fixed-Hessian steps with the exact gradient from the proximal point, for points z~ [n, D] of given margin [n].

    Each step is extrapolated along the secant of the last two (Anderson's method of depth 1). Rows that do not settle are marked.
    """
    position = proximal_step(margin, leverage)[:, None].astype(points.dtype) * points
    unsettled = np.zeros(len(points), dtype=bool)
    steps = 0
    for first in range(0, len(points), BLOCK):
        part = slice(first, first + BLOCK)
        given = position[part], points[part], margin[part], leverage[part]
        position[part], unsettled[part], taken = _settle(curve, *given, most, accelerate)
        steps += taken
    return Stepped(position, unsettled, steps)


def _settle(
    curve: Curve, start: Real, points: Real, margin: Floats, leverage: Floats, most: int, accelerate: bool
) -> tuple[Real, NDArray[np.bool_], int]:
    reached, unsettled = start.copy(), np.ones(len(start), dtype=bool)
    active, position = np.arange(len(start)), start
    last_left: Real | None = None
    last_new: Real | None = None
    last_size = first_size = last_rate = np.zeros(0)
    steps = 0
    for number in range(most):
        steps += len(active)
        pulled = curve.pull(position)
        step = proximal_step(margin + _dots(points, pulled), leverage)
        new = step[:, None].astype(points.dtype) * points + pulled
        left = new - position
        size = np.sqrt(_dots(left, left))
        length = np.sqrt(_dots(new, new))
        if number == 0:
            first_size, last_rate = size, np.zeros_like(size)
        rate = (size / np.maximum(last_size, 1e-300)).clip(LEAST_RATE, 1.0) if number else np.ones_like(size)
        # a lucky fall from a bad place says nothing of the rate: the worse of two is believed, and only near the end
        settled = (size * np.maximum(rate, last_rate) <= TOLERANCE * length) & (size <= NEAR * length)
        lost = ~np.isfinite(size) | (size > 20.0 * first_size)
        reached[active] = new
        unsettled[active[settled]] = False
        keep = np.flatnonzero(~settled & ~lost)
        if not len(keep):
            break
        following = new
        if accelerate and last_left is not None and last_new is not None:
            turn = left - last_left
            mixed = _dots(left, turn) / np.maximum(_dots(turn, turn), 1e-300)
            following = new - mixed[:, None].astype(points.dtype) * (new - last_new)
        position, last_left, last_new, last_size = following[keep], left[keep], new[keep], size[keep]
        active, points, margin, leverage = active[keep], points[keep], margin[keep], leverage[keep]
        first_size, last_rate = first_size[keep], rate[keep]
    return reached, unsettled, steps


def _dots(left: Real, right: Real) -> Floats:
    return np.asarray(np.einsum("nd,nd->n", left, right), np.float64)
