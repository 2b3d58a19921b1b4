"""The paper's likelihood estimator: alpha and beta by profiled Gaussian likelihood, all points at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay.errors import InputError
from assay.valuation.contributions.samples import Contributions
from assay.valuation.laws.power_law import PowerLaws

Floats = NDArray[np.float64]

CEILING = 2.0  # of log alpha and log beta, the paper's clamp
FLOOR = -8.0  # below it k^-alpha is flat to one part in a thousand: the objective no longer moves
BOX = (math.log(0.5), math.log(2.5), math.log(1.5), math.log(5.5))
BLOCK = 2_000  # points in memory at once
STEPS = 60


@dataclass(frozen=True)
class Likelihood:
    """Minimises mean Gaussian loss over log alpha and log beta, with c and sigma in closed form at each.

    Same objective and clamps (log alpha, log beta <= 2) as the paper's code, whose Adam from alpha=1, beta=2 is replaced by
    Newton's method from there and from the best of a grid. `box` keeps alpha in 0.5..2.5 and beta in 1.5..5.5 [ours].
    Source: Covert et al. 2024, as implemented by its authors.
    """

    box: bool = False

    def fit(
        self, samples: Contributions, covariates: Floats | None = None, generator: np.random.Generator | None = None
    ) -> PowerLaws:
        """Laws with standard errors of the observed information; InputError below 4 samples of a point.

        The likelihood is conditional on the cardinalities, so that their density does not matter. Covariates and generator
        are not read.
        """
        if samples.samples < 4:
            raise InputError("valuation.evaluations", samples.samples, "four parameters need 4 or more", "raise it")
        low, high = _bounds(self.box)
        fits = [
            _fitted(np.log(samples.cardinality[rows].astype(np.float64)), samples.delta[rows], low, high)
            for rows in (slice(at, at + BLOCK) for at in range(0, samples.points, BLOCK))
        ]
        joined = [np.concatenate(parts) for parts in zip(*fits, strict=True)]
        level, alpha, spread, beta, reference, covariance = joined
        return PowerLaws(level, alpha, spread, beta, reference, covariance)


def profiled_loss(logs: Floats, delta: Floats, log_alpha: Floats, log_beta: Floats) -> Floats:
    """The paper's loss [n], up to a constant: log sigma - beta/2 mean(log k), with c and sigma profiled out.

    `logs` [n, m] are logarithms of cardinalities.
    """
    centre = logs.mean(axis=1)
    return _derivatives(logs - centre[:, None], delta, log_alpha, log_beta).loss


class _Derivatives(NamedTuple):
    """Loss [n], gradient [n, 2] and Hessian [n, 2, 2] by (log alpha, log beta), and the information [n, 4, 4] of a sample."""

    loss: Floats
    gradient: Floats
    hessian: Floats
    level: Floats
    variance: Floats
    information: Floats


def _bounds(box: bool) -> tuple[Floats, Floats]:
    if box:
        return np.array([BOX[0], BOX[2]]), np.array([BOX[1], BOX[3]])
    return np.full(2, FLOOR), np.full(2, CEILING)


def _fitted(logs: Floats, delta: Floats, low: Floats, high: Floats) -> tuple[Floats, ...]:
    """Level, alpha, spread, beta, reference and covariance of a block of points."""
    centre = logs.mean(axis=1)
    logs = logs - centre[:, None]
    unit = np.sqrt((delta**2).mean(axis=1))
    unit[unit == 0] = 1.0
    scaled = delta / unit[:, None]
    starts = [np.tile(np.clip([0.0, math.log(2.0)], low, high), (len(delta), 1)), *_grid(logs, scaled, low, high)]
    fits = [_minimised(logs, scaled, start, low, high) for start in starts]
    best = np.argmin([loss for _, loss in fits], axis=0)
    place = np.stack([where for where, _ in fits])[best, np.arange(len(delta))]
    last = _derivatives(logs, scaled, place[:, 0], place[:, 1])
    alpha, beta = np.exp(place.T)
    scale = np.stack([unit, np.ones_like(unit), unit, np.ones_like(unit)], axis=1)
    covariance = _inverse(last.information * delta.shape[1]) * scale[:, :, None] * scale[:, None, :]
    return last.level * unit, alpha, np.sqrt(last.variance) * unit, beta, np.exp(centre), covariance


def _grid(logs: Floats, delta: Floats, low: Floats, high: Floats) -> list[Floats]:
    """The two best places of a grid that are not neighbours, each [n, 2]."""
    first = np.linspace(max(low[0], -2.5), high[0], 13)
    second = np.linspace(max(low[1], -1.5), high[1], 9)
    losses = np.empty((len(first), len(second), len(delta)))
    powers = [np.exp(-np.exp(u) * logs) for u in first]
    for column, v in enumerate(second):
        weight = np.exp(np.exp(v) * logs)
        signal = weight * delta
        total = (signal * delta).mean(axis=1)
        for row, power in enumerate(powers):
            along = np.einsum("nm,nm->n", signal, power) ** 2 / np.einsum("nm,nm,nm->n", weight, power, power)
            losses[row, column] = total - along / logs.shape[1]
    flat = losses.reshape(-1, len(delta))
    best = flat.argmin(axis=0)
    rows, columns = np.divmod(best, len(second))
    near = (np.abs(np.arange(len(first))[:, None, None] - rows) <= 2) & (
        np.abs(np.arange(len(second))[None, :, None] - columns) <= 2
    )
    other = np.where(near, np.inf, losses).reshape(-1, len(delta)).argmin(axis=0)
    return [np.stack([first[at // len(second)], second[at % len(second)]], axis=1) for at in (best, other)]


def _minimised(logs: Floats, delta: Floats, start: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Damped Newton steps within bounds from `start` [n, 2]: places and losses; a step that does not help is not taken."""
    place, damping = start.copy(), np.full(len(start), 1e-3)
    now = _derivatives(logs, delta, *place.T)
    loss, gradient, hessian = now.loss.copy(), now.gradient.copy(), now.hessian.copy()
    active = np.arange(len(start))
    for _ in range(STEPS):
        step = _step(gradient[active], hessian[active], damping[active], place[active], low, high)
        tried = np.clip(place[active] + step, low, high)
        moved = np.abs(tried - place[active]).max(axis=1) > 1e-9
        new = _derivatives(logs[active], delta[active], *tried.T)
        better = new.loss < loss[active]
        taken = active[better]
        gain = loss[taken] - new.loss[better]
        place[taken], loss[taken] = tried[better], new.loss[better]
        gradient[taken], hessian[taken] = new.gradient[better], new.hessian[better]
        damping[taken] /= 5.0
        damping[active[~better]] *= 8.0
        going = moved & (damping[active] < 1e8)
        going[better] &= gain > 1e-13
        active = active[going]
        if not len(active):
            break
    return place, loss


def _step(gradient: Floats, hessian: Floats, damping: Floats, place: Floats, low: Floats, high: Floats) -> Floats:
    """A descent step [n, 2] of at most 1.5: Newton's with the Hessian's eigenvalues made positive, along free directions."""
    stuck = ((place <= low) & (gradient > 0)) | ((place >= high) & (gradient < 0))
    gradient = np.where(stuck, 0.0, gradient)
    both = stuck.any(axis=1)
    curved = hessian.copy()
    curved[both, 0, 1] = curved[both, 1, 0] = 0.0
    values, vectors = np.linalg.eigh(curved)
    values = np.maximum(np.abs(values), 1e-8) + damping[:, None]
    along = np.einsum("nij,ni->nj", vectors, gradient) / values
    step = -np.einsum("nij,nj->ni", vectors, along)
    length = np.abs(step).max(axis=1, keepdims=True)
    return np.asarray(step * np.minimum(1.0, 1.5 / np.maximum(length, 1e-300)))


def _derivatives(logs: Floats, delta: Floats, log_alpha: Floats, log_beta: Floats) -> _Derivatives:
    """Loss and derivatives; `logs` are centred, so that the loss is log sigma.

    With F = mean((Delta - c k^-alpha)^2 k^beta) at its least c, the loss is log(F)/2; second derivatives of the profile
    are those of F less the part that c takes up.
    """
    alpha, beta = np.exp(log_alpha), np.exp(log_beta)
    power, weight = np.exp(-alpha[:, None] * logs), np.exp(beta[:, None] * logs)
    lean = weight * power
    level = (lean * delta).sum(axis=1) / (lean * power).sum(axis=1)
    error = delta - level[:, None] * power
    pull, push = lean * error, lean * power
    square = weight * error**2
    square_log = square * logs
    mean = np.maximum(square.mean(axis=1), 1e-150)  # a perfect fit has a loss, and products of it do not vanish
    e1, e2 = (pull * logs).mean(axis=1), (pull * logs**2).mean(axis=1)
    a0, a1, a2 = push.mean(axis=1), (push * logs).mean(axis=1), (push * logs**2).mean(axis=1)
    cc = 2 * a0
    ca, cb = -2 * level * a1 + 2 * e1, -2 * e1
    fa, fb = 2 * level * e1, square_log.mean(axis=1)
    aa, ab, bb = 2 * level**2 * a2 - 2 * level * e2, 2 * level * e2, (square_log * logs).mean(axis=1)
    paa, pab, pbb = aa - ca * ca / cc, ab - ca * cb / cc, bb - cb * cb / cc
    la, lb = fa / (2 * mean), fb / (2 * mean)
    haa, hab, hbb = (part / (2 * mean) for part in (paa, pab, pbb))
    haa, hab, hbb = haa - 2 * la * la, hab - 2 * la * lb, hbb - 2 * lb * lb
    gradient = np.stack([alpha * la, beta * lb], axis=1)
    mixed = alpha * beta * hab
    rows = [alpha**2 * haa + alpha * la, mixed, mixed, beta**2 * hbb + beta * lb]
    hessian = np.stack(rows, axis=1).reshape(-1, 2, 2)
    root, zero = np.sqrt(mean), np.zeros_like(mean)
    information = np.stack(
        [
            *(cc / (2 * mean), ca / (2 * mean), zero, cb / (2 * mean)),
            *(ca / (2 * mean), aa / (2 * mean), -fa / (mean * root), ab / (2 * mean)),
            *(zero, -fa / (mean * root), 2 / mean, -fb / (mean * root)),
            *(cb / (2 * mean), ab / (2 * mean), -fb / (mean * root), bb / (2 * mean)),
        ],
        axis=1,
    ).reshape(-1, 4, 4)
    return _Derivatives(0.5 * np.log(mean), gradient, hessian, level, mean, information)


def _inverse(information: Floats) -> Floats:
    """Inverses [n, 4, 4] of information matrices; NaN for those that are not positive definite (a flat or clamped fit)."""
    covariance = np.full_like(information, np.nan)
    # Unit diagonal first, as the parameters have different units.
    diagonal = np.einsum("nii->ni", information)
    fine = (diagonal > 0).all(axis=1) & np.isfinite(information).all(axis=(1, 2))
    scale = np.zeros_like(diagonal)
    scale[fine] = 1 / np.sqrt(diagonal[fine])
    scaled = information * scale[:, :, None] * scale[:, None, :]
    values = np.linalg.eigvalsh(np.where(fine[:, None, None], scaled, np.eye(4)))
    fine &= values[:, 0] > 1e-10
    covariance[fine] = np.linalg.inv(scaled[fine]) * scale[fine, :, None] * scale[fine, None, :]
    return covariance
