"""Utilities of a classifier of several classes as functions of its logits, and their changes without subtracting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assay.learning.solvers.multinomial import log_sum_exp, softmax
from assay.valuation.contributions.margins import FAR

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Real = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Chances:
    """Rows as changes of their logits start from: logits [C, k] in double precision, probabilities in that of use."""

    logits: Floats
    labels: Integers
    probability: Real

    @classmethod
    def of(cls, logits: Floats, labels: Integers, dtype: type) -> Chances:
        """From logits [k, C]."""
        return cls(np.ascontiguousarray(logits.T), labels, np.ascontiguousarray(softmax(logits).T.astype(dtype)))


def _far(change: Real) -> tuple[NDArray[np.intp], ...] | None:
    """Pairs (point, row) with an entry beyond what short formulas do in single precision."""
    if change.max(initial=0) <= FAR and change.min(initial=0) >= -FAR:
        return None
    return np.nonzero((np.abs(change) > FAR).any(axis=1))


def _far_logits(chances: Chances, change: Real, where: tuple[NDArray[np.intp], ...]) -> tuple[Floats, Floats]:
    before = chances.logits[:, where[1]].T
    return before, before + change[where[0], :, where[1]]


def probability_changes(chances: Chances, change: Real) -> Real:
    """Changes [n, C, k] of the probabilities when logits change by as much; `change` is overwritten."""
    where = _far(change)
    far = None if where is None else _far_logits(chances, change, where)
    change -= np.einsum("ck,nck->nk", chances.probability, change)[
        :, None
    ]  # what is common to all classes does nothing
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is far, and done again below
        np.expm1(change, out=change)
        grown = np.einsum("ck,nck->nk", chances.probability, change)[:, None]
        change -= grown
        change *= chances.probability
        change /= 1 + grown
    if where is not None and far is not None:
        change[where[0], :, where[1]] = softmax(far[1]) - softmax(far[0])
    return change


def _loss_changes(chances: Chances, change: Real) -> Real:
    where = _far(change)
    columns = np.arange(change.shape[2])
    after = None if where is None else _far_logits(chances, change, where)
    change -= change[:, chances.labels, columns][:, None]
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        np.expm1(change, out=change)
        lost = np.log1p(np.einsum("ck,nck->nk", chances.probability, change))
    if where is not None and after is not None:
        lost[where] = _cross_entropy(after[1], chances.labels[where[1]]) - _cross_entropy(
            after[0], chances.labels[where[1]]
        )
    return np.asarray(lost)


def _flat_loss_changes(chances: Chances, change: Real) -> Real:
    columns = np.arange(change.shape[2])
    moved = probability_changes(chances, change)
    moved -= moved[:, chances.labels, columns][:, None].copy()
    np.expm1(moved, out=moved)
    second = softmax(chances.probability.T.astype(np.float64)).T.astype(moved.dtype)
    return np.asarray(np.log1p(np.einsum("ck,nck->nk", second, moved)))


def _cross_entropy(logits: Floats, labels: Integers) -> Floats:
    return np.asarray(log_sum_exp(logits)[:, 0] - logits[np.arange(len(labels)), labels])


def _flat_loss(logits: Floats, labels: Integers) -> Floats:
    return _cross_entropy(softmax(logits), labels)


def _derivatives(logits: Floats, labels: Integers) -> tuple[Floats, Floats]:
    chance = softmax(logits)
    return chance - np.eye(logits.shape[1])[labels], _spread(chance)


def _spread(chance: Floats) -> Floats:
    """diag p - p p' [k, C, C]."""
    curvature = -chance[:, :, None] * chance[:, None, :]
    diagonal = np.arange(chance.shape[1])
    curvature[:, diagonal, diagonal] += chance
    return np.asarray(curvature)


def _flat_derivatives(logits: Floats, labels: Integers) -> tuple[Floats, Floats]:
    chance = softmax(logits)
    outer, curved = _derivatives(chance, labels)
    spread = _spread(chance)
    slope = chance * (outer - (chance * outer).sum(axis=1, keepdims=True))
    bend = spread @ curved @ spread - slope[:, :, None] * chance[:, None, :] - chance[:, :, None] * slope[:, None, :]
    diagonal = np.arange(chance.shape[1])
    bend[:, diagonal, diagonal] += slope
    return slope, bend


@dataclass(frozen=True)
class LogitUtility:
    """Minus a mean of `loss` of logits [k, C] and labels; its first two `derivatives`; its `change` [n, k], of [n, C, k]."""

    loss: Callable[[Floats, Integers], Floats]
    derivatives: Callable[[Floats, Integers], tuple[Floats, Floats]]
    change: Callable[[Chances, Real], Real]


SMOOTH = {
    "negative_loss": LogitUtility(_cross_entropy, _derivatives, _loss_changes),
    "softmax_of_probabilities": LogitUtility(_flat_loss, _flat_derivatives, _flat_loss_changes),
}
