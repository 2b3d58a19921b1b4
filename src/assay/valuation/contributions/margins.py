"""Utilities of a binary classifier as functions of its signed margins on the validation rows, and their changes.

The margin of a row is its log-odds of the right class. A contribution is a small difference of two nearly equal utilities:
changes are computed from the changes of the margins, without subtracting the two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from assay.errors import InputError
from assay.valuation.utilities import SMALLEST_PROBABILITY

Floats = NDArray[np.float64]
Real = NDArray[Any]  # float32 or float64, as given

# Beyond this change of a margin the short formulas cancel in single precision; such entries are done in double, plainly.
FAR = 4.0


@dataclass(frozen=True, eq=False)
class Odds:
    """Rows [k] as changes of their margins start from: the margins in double precision, sigmoids in the precision of use."""

    margin: Floats
    right: Real  # probability of the right class
    wrong: Real
    tilt: Real  # right - wrong
    spread: Real  # 2 right wrong
    doubt: Real  # sigmoid(wrong - right)

    @classmethod
    def of(cls, margin: Floats, dtype: type) -> Odds:
        """At these margins."""
        right, wrong = expit(margin), expit(-margin)
        parts = right, wrong, right - wrong, 2.0 * right * wrong, expit(wrong - right)
        return cls(margin, *(each.astype(dtype) for each in parts))


def softplus(values: Real) -> Real:
    """log(1 + exp(values)), whatever their size."""
    return np.log1p(np.exp(-np.abs(values))) + np.maximum(values, 0)


def probability_change(odds: Odds, change: Real) -> Real:
    """sigmoid(m + change) - sigmoid(m) [n, k] to relative precision, for margins m [k] and their changes [n, k]."""
    half = np.tanh(0.5 * change)
    scale = half * odds.tilt
    scale += 1
    half *= odds.spread
    with np.errstate(divide="ignore"):  # what vanishes is far, and done again below
        half /= scale
    _correct_far(half, odds, change, expit)
    return half


def _loss_change(odds: Odds, change: Real) -> Real:
    with np.errstate(over="ignore", divide="ignore"):  # what overflows or vanishes is far, and done again below
        lost = np.expm1(-change)
        lost *= odds.wrong
        np.log1p(lost, out=lost)
    _correct_far(lost, odds, change, lambda margin: softplus(-margin))
    return lost


def _flat_loss_change(odds: Odds, change: Real) -> Real:
    lost = probability_change(odds, change)
    lost *= -2
    np.expm1(lost, out=lost)
    lost *= odds.doubt
    return np.log1p(lost, out=lost)


def _correct_far(changes: Real, odds: Odds, change: Real, function: Callable[[Floats], Floats]) -> None:
    """Puts function(m + change) - function(m), subtracted in double precision, where a change is large."""
    if change.max(initial=0) <= FAR and change.min(initial=0) >= -FAR:
        return
    rows, columns = np.nonzero(np.abs(change) > FAR)
    before = odds.margin[columns]
    changes[rows, columns] = function(before + change[rows, columns]) - function(before)


@dataclass(frozen=True)
class MarginUtility:
    """Minus a mean over validation rows of a loss of the margin: value, derivatives and exact changes.

    `loss` of margins [V]; its first two `derivatives`; `change` of the loss when margins [V] change by [n, V].
    """

    loss: Callable[[Floats], Floats]
    derivatives: Callable[[Floats], tuple[Floats, Floats]]
    change: Callable[[Odds, Real], Real]
    constant: tuple[float, float]  # losses of a right and of a wrong certainty

    def of_constant(self, right: NDArray[np.bool_]) -> float:
        """The utility of a model that is certain of one class, from which rows [V] are of that class."""
        share = float(right.mean())
        return -(share * self.constant[0] + (1.0 - share) * self.constant[1])


def _loss_derivatives(margin: Floats) -> tuple[Floats, Floats]:
    wrong = expit(-margin)
    return -wrong, wrong * (1.0 - wrong)


def _flat_loss(margin: Floats) -> Floats:
    return np.asarray(softplus(1.0 - 2.0 * expit(margin)))


def _flat_derivatives(margin: Floats) -> tuple[Floats, Floats]:
    right, wrong = expit(margin), expit(-margin)
    curved, doubt = right * wrong, expit(wrong - right)
    slope = -2.0 * curved * doubt
    return slope, slope * (wrong - right) + 4.0 * curved**2 * doubt * (1.0 - doubt)


NEGATIVE_LOSS = MarginUtility(
    loss=lambda margin: softplus(-margin),
    derivatives=_loss_derivatives,
    change=_loss_change,
    constant=(0.0, float(-np.log(SMALLEST_PROBABILITY))),
)
SOFTMAX_OF_PROBABILITIES = MarginUtility(
    loss=_flat_loss,
    derivatives=_flat_derivatives,
    change=_flat_loss_change,
    constant=(float(np.log1p(np.exp(-1.0))), float(np.log1p(np.exp(1.0)))),
)
SMOOTH = {"negative_loss": NEGATIVE_LOSS, "softmax_of_probabilities": SOFTMAX_OF_PROBABILITIES}


def no_expansion() -> InputError:
    """The error of asking for the closed form of a utility that has steps."""
    limit = "has no quadratic expansion"
    return InputError("valuation.utility", "accuracy", limit, "use valuation.level=exact, or another utility")
