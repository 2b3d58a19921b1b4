"""Size, interval and promise of released values, learnt from stand-ins whose exact values are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.statistics import spearman

if TYPE_CHECKING:
    from assay.arrays import Floats

LEVEL = 0.9  # of prediction intervals
NEIGHBOURS = 6  # one in so many of all pairs, those nearest in released value, gives an interval
LEAST_SLOPE = 1e-3  # in standard deviations of exact values for one of released ones
WIDENINGS = np.linspace(1.0, 3.0, 9)


@dataclass(frozen=True, eq=False)
class Calibration:
    """A line from released to exact values, the residuals about it, and the factor that intervals are widened by.

    `released` and `residual` [N] are those of all stand-ins' rows, in order of `released`. `rank_correlation` is the mean
    over stand-ins of Spearman's between released and exact values; `coverage` [K] that of each stand-in, left out.
    """

    intercept: float
    slope: float
    released: Floats
    residual: Floats
    widening: float
    rank_correlation: float
    coverage: Floats

    def values(self, released: Floats) -> Floats:
        """Values [n] of the size of exact ones."""
        return self.intercept + self.slope * released

    def intervals(self, released: Floats) -> tuple[Floats, Floats]:
        """Lower and upper ends [n] of prediction intervals of the exact values at LEVEL.

        They cover at that level where the rows are like a mixture of the stand-ins', and are said to cover nowhere else.
        """
        low, high = _quantiles(self.released, self.residual, released)
        centre = self.values(released)
        return centre + self.widening * low, centre + self.widening * high


def calibrate(released: Floats, exact: Floats) -> Calibration:
    """The calibration of K stand-ins of n rows: released and exact values, both [K, n]; ValueError below two stand-ins.

    The line is that of least squares over all rows. The widening is the smallest at which the lower quartile of the coverages
    of stand-ins that are left out one by one reaches LEVEL.
    """
    if len(released) < 2:
        raise ValueError(f"{len(released)} stand-ins: a calibration needs two")
    intercept, slope = _line(released, exact)
    residual = exact - intercept - slope * released
    coverages = np.array([_left_out(released, exact, place) for place in range(len(released))])  # [K, widenings]
    reached = np.quantile(coverages, 0.25, axis=0) >= LEVEL
    chosen = int(np.argmax(reached)) if reached.any() else len(WIDENINGS) - 1
    order = np.argsort(released, axis=None, kind="stable")
    return Calibration(
        intercept,
        slope,
        released.ravel()[order],
        residual.ravel()[order],
        float(WIDENINGS[chosen]),
        float(spearman(released, exact).mean()),
        coverages[:, chosen],
    )


def _line(released: Floats, exact: Floats) -> tuple[float, float]:
    """Intercept and slope of least squares; where stand-ins show no rise, the slope is so small that only the order is left."""
    centred = released - released.mean()
    square = float((centred**2).sum())
    least = LEAST_SLOPE * float(exact.std()) / (float(released.std()) or 1.0)
    slope = max(float((centred * exact).sum()) / square if square > 0 else 0.0, least)
    return float(exact.mean()) - slope * float(released.mean()), slope


def _left_out(released: Floats, exact: Floats, place: int) -> Floats:
    """Coverage [widenings] of one stand-in by the calibration of the others."""
    others = np.arange(len(released)) != place
    intercept, slope = _line(released[others], exact[others])
    residual = (exact[others] - intercept - slope * released[others]).ravel()
    flat = released[others].ravel()
    order = np.argsort(flat, kind="stable")
    low, high = _quantiles(flat[order], residual[order], released[place])
    error = exact[place] - intercept - slope * released[place]
    inside = (error >= WIDENINGS[:, None] * low) & (error <= WIDENINGS[:, None] * high)
    return np.asarray(inside.mean(axis=1))


def _quantiles(known: Floats, residual: Floats, released: Floats) -> tuple[Floats, Floats]:
    """Conformal order statistics [n] of the residuals of those known values (ascending) that are nearest to each."""
    count = max(2, len(known) // NEIGHBOURS)
    start = np.clip(np.searchsorted(known, released) - count // 2, 0, len(known) - count)
    windows = np.sort(residual[start[:, None] + np.arange(count)], axis=1)
    tail = (1 - LEVEL) / 2
    first = int(np.floor((count + 1) * tail)) - 1
    last = int(np.ceil((count + 1) * (1 - tail))) - 1
    low = windows[:, first] if first >= 0 else np.full(len(released), -np.inf)
    high = windows[:, last] if last < count else np.full(len(released), np.inf)
    return low, high
