"""Steps from a subset's own multinomial fit to the fit with one more row, for many rows at once.

As in `newton_steps`, where a row pulls in as many dimensions as classes less one. A step is stored as s with b = H s, H the
subset's Hessian; the fit with row z solves  b = g (x) z - sum_i r_i(s) (x) x_i,  g the row's pull at its new logits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.learning.solvers.multinomial import in_contrasts, log_sum_exp, softmax
from assay.valuation.contributions.logits import Chances, probability_changes
from assay.valuation.contributions.newton_steps import LEAST_RATE, MOST_STEPS, NEAR, TOLERANCE

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Real = NDArray[Any]


def proximal_pulls(
    logits: Floats, labels: Integers, leverage: Floats, basis: Floats, start: Floats | None = None
) -> Floats:
    """g [n, E] with g = Q'(e_label - softmax(logits + Q A g)) for logits [n, C], leverage A [n, E, E], basis Q [C, E].

    Newton's method with backtracking on g'A g / 2 + log-loss, whose minimum it is. [derived] NaN where it did not get there.
    """
    points, kinds = len(logits), basis.shape[1]
    right, every, unit = basis[labels], np.arange(points), np.eye(kinds)
    pull = right - softmax(logits) @ basis if start is None else start.copy()

    def seen(at: Floats) -> tuple[Floats, Floats]:
        moved = (leverage @ at[:, :, None])[:, :, 0]
        reached = logits + moved @ basis.T
        return reached, 0.5 * (at * moved).sum(axis=1) + log_sum_exp(reached)[:, 0] - reached[every, labels]

    reached, value = seen(pull)
    for _ in range(100):
        chance = softmax(reached)
        excess = pull - (right - chance @ basis)
        if np.abs(excess).max(initial=0.0) < 1e-9:
            return pull
        step = -np.linalg.solve(unit + in_contrasts(chance, basis) @ leverage, excess[:, :, None])[:, :, 0]
        falls = np.minimum((step * (leverage @ excess[:, :, None])[:, :, 0]).sum(axis=1), 0.0)
        length = np.ones(points)
        for _ in range(40):
            tried, reached_value = seen(pull + length[:, None] * step)
            worse = reached_value > value + 1e-4 * length * falls + 1e-12 * (1.0 + np.abs(value))
            if not worse.any():
                break
            length[worse] *= 0.5
        pull, reached, value = pull + length[:, None] * step, tried, reached_value
    missed = np.abs(pull - (right - softmax(reached) @ basis)).max(axis=1) > 1e-7
    pull[missed] = np.nan  # unsettled, so that the point is fitted whole
    return pull


@dataclass(frozen=True, eq=False)
class Surface:
    """A subset's fit as points see it: rows [k, D], chances [k], inverse Hessian [E D, E D] and basis [C, E]."""

    rows: Real
    chances: Chances
    inverse: Real
    basis: Real

    def pull(self, step: Real) -> Real:
        """The part of b at steps [n, E D] that rows add beyond their quadratic terms: [n, E D]."""
        kinds, features = self.basis.shape[1], self.rows.shape[1]
        weights = self.basis @ step.reshape(-1, kinds, features)
        moved = (weights.reshape(-1, features) @ self.rows.T).reshape(len(step), len(self.basis), -1)
        linear = moved - np.einsum("ck,nck->nk", self.chances.probability, moved)[:, None]
        linear *= self.chances.probability
        linear -= probability_changes(self.chances, moved)
        back = (linear.reshape(-1, len(self.rows)) @ self.rows).reshape(len(step), len(self.basis), features)
        return np.asarray((self.basis.T @ back).reshape(step.shape))


@dataclass(frozen=True, eq=False)
class Joining:
    """Points [n, D] that join a fit: their logits [n, C] there, labels [n], and R = H^-1 (I (x) z) [n, E, E D] with z'R."""

    points: Real
    logits: Floats
    labels: Integers
    response: Real
    leverage: Floats

    @classmethod
    def of(cls, surface: Surface, points: Real, logits: Floats, labels: Integers) -> Joining:
        """At a fit."""
        kinds, features = surface.basis.shape[1], surface.rows.shape[1]
        blocks = surface.inverse.reshape(kinds, features, -1)
        response = np.ascontiguousarray(np.matmul(points[None], blocks).transpose(1, 0, 2))
        products = np.matmul(response.reshape(len(points), -1, features), points[:, :, None])
        leverage = products.reshape(-1, kinds, kinds).astype(np.float64)
        return cls(points, logits, labels, response, 0.5 * (leverage + leverage.transpose(0, 2, 1)))

    def take(self, rows: Integers) -> Joining:
        """Some of the points."""
        parts = self.points, self.logits, self.labels, self.response, self.leverage
        return Joining(*(each[rows] for each in parts))  # type: ignore[arg-type]

    def step(self, pull: Floats) -> Real:
        """H^-1 (g (x) z) [n, E D] for pulls g [n, E]."""
        narrow = pull.astype(self.points.dtype)
        return np.asarray(np.matmul(narrow[:, None], self.response)[:, 0])

    def right_side(self, pull: Floats) -> Real:
        """g (x) z [n, E D]."""
        narrow = pull.astype(self.points.dtype)
        return (narrow[:, :, None] * self.points[:, None, :]).reshape(len(pull), -1)


def corrected(
    surface: Surface, joining: Joining, basis: Floats, most: int = MOST_STEPS
) -> tuple[Real, NDArray[np.bool_]]:
    """Steps [n, E D] to the fits with each point, and which of them did not settle; accelerated as in `steps`."""
    pull = proximal_pulls(joining.logits, joining.labels, joining.leverage, basis)
    step, side = joining.step(pull), joining.right_side(pull)
    reached, unsettled = step.copy(), np.ones(len(step), dtype=bool)
    active, last = np.arange(len(step)), None
    kinds = basis.shape[1]
    for number in range(most):
        bent = surface.pull(step)
        answered = bent @ surface.inverse
        moved = np.matmul(answered.reshape(len(bent), kinds, -1), joining.points[:, :, None])[:, :, 0]
        pull = proximal_pulls(joining.logits + moved @ basis.T, joining.labels, joining.leverage, basis, pull)
        new, new_side = joining.step(pull) + answered, joining.right_side(pull) + bent
        left, left_side = new - step, new_side - side
        size = np.sqrt(np.maximum(_dots(left, left_side), 0.0))
        length = np.sqrt(np.maximum(_dots(new, new_side), 0.0))
        if last is None:
            first, rate, before = size, np.ones_like(size), np.zeros_like(size)
        else:
            first, before = last["first"], last["rate"]
            rate = (size / np.maximum(last["size"], 1e-300)).clip(LEAST_RATE, 1.0)
        settled = (size * np.maximum(rate, before) <= TOLERANCE * length) & (size <= NEAR * length)
        lost = ~np.isfinite(size) | (size > 20.0 * first)
        reached[active] = new
        unsettled[active[settled]] = False
        keep = np.flatnonzero(~settled & ~lost)
        if not len(keep):
            break
        following, following_side = new, new_side
        if last is not None:
            turn, turn_side = left - last["left"], left_side - last["left_side"]
            mixed = (_dots(left, turn_side) / np.maximum(_dots(turn, turn_side), 1e-300))[:, None].astype(new.dtype)
            following = new - mixed * (new - last["new"])
            following_side = new_side - mixed * (new_side - last["new_side"])
        states = {"left": left, "left_side": left_side, "new": new, "new_side": new_side, "size": size, "first": first}
        states["rate"] = rate if number else np.zeros_like(size)
        last = {name: each[keep] for name, each in states.items()}
        step, side, pull, active = following[keep], following_side[keep], pull[keep], active[keep]
        joining = joining.take(keep)
    return reached, unsettled


def _dots(left: Real, right: Real) -> Floats:
    return np.asarray(np.einsum("nd,nd->n", left, right), np.float64)
