"""Noise and steps that spend a budget; no answer lands above it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from assay.errors import InputError
from assay.privacy.accounting.accountants import GaussianAccountant
from assay.privacy.accounting.gaussian import check_epsilon
from assay.privacy.accounting.renyi import RdpAccountant
from assay.privacy.accounting.steps import Accountant, AccountingError, Steps
from assay.privacy.budget import Budget
from assay.privacy.relations import Sensitivity

TOLERANCE = 1e-3  # how far below its target a calibrated epsilon may land, relatively
MOST_NOISE = 1e6
MOST_STEPS = 10**9


def noise_multiplier_for(
    budget: Budget, sensitivity: Sensitivity, accountant: Accountant, sample_rate: float, steps: int
) -> float:
    """Deviation of the noise, in clipping norms, for which `steps` steps spend the budget.

    Guarantee: the accountant's epsilon of the answer lies in [(1 - TOLERANCE) target, target]; Opacus'
    get_noise_multiplier may end above it (opacus#346, #348). Raises InputError when no noise reaches the target by this
    accountant, or the steps have no account.
    """
    if sensitivity.relation is not budget.relation:
        raise ValueError(
            f"sensitivity is for {sensitivity.relation}, the budget for {budget.relation}: they must agree"
        )
    if steps < 1:
        raise InputError("steps", steps, "must be >= 1", "training that makes no step needs no noise")
    check_epsilon(budget.epsilon)
    unit = Steps.under(budget.relation, 1.0, sample_rate, steps)
    if isinstance(accountant, GaussianAccountant):
        accountant.epsilon([unit], budget.delta)  # refuses what it has no exact answer for
        return budget.noise_multiplier(steps, sensitivity)

    known: dict[float, float] = {}

    def epsilon(noise: float) -> float:
        if noise not in known:
            known[noise] = _epsilon(accountant, [Steps(noise, sample_rate, steps)], budget.delta)
        return known[noise]

    start = 1.0
    if not isinstance(accountant, RdpAccountant):  # cheap, and close to every other
        start = _least_noise(lambda noise: _renyi(noise, sample_rate, steps, budget.delta), budget.epsilon, 1.0, 2.0)
    noise = _least_noise(epsilon, budget.epsilon, start if start < MOST_NOISE else 1.0, 1.05)
    if not epsilon(noise) <= budget.epsilon:
        limit = f"cannot be reached by privacy.accountant={accountant.name} at delta {budget.delta:g}"
        raise InputError("privacy.epsilon", budget.epsilon, limit, "raise it, or lower the sample rate or the steps")
    return noise * budget.relation.factor


def _renyi(noise: float, sample_rate: float, steps: int, delta: float) -> float:
    return RdpAccountant().epsilon([Steps(noise, sample_rate, steps)], delta)


def _least_noise(epsilon: Callable[[float], float], target: float, start: float, growth: float) -> float:
    """A small noise whose epsilon is in the tolerated window, or MOST_NOISE; `epsilon` falls with its noise."""
    low = high = start
    step = growth
    if epsilon(start) > target:
        while epsilon(high) > target:
            if high >= MOST_NOISE:
                return MOST_NOISE
            low, high, step = high, min(high * step, MOST_NOISE), step * growth
    else:
        while epsilon(low) <= target:
            low, high, step = low / step, low, min(2.0, step * growth)  # little noise is slow to account for
    for _ in range(200):
        reached = epsilon(high)
        if reached >= target * (1 - TOLERANCE):
            break
        # epsilon is close to a power of the noise: aim at the middle of the window, and keep both ends moving
        aim = _interpolate((low, epsilon(low)), (high, reached), target * (1 - TOLERANCE / 2))
        if epsilon(aim) <= target:
            high = aim
        else:
            low = aim
    return high


def _interpolate(left: tuple[float, float], right: tuple[float, float], level: float) -> float:
    """Where the power law through two points takes a level, limited to the middle four fifths of the way (in logarithms)."""
    (a, f), (b, g) = left, right
    share = 0.5
    if 0 < f < math.inf and 0 < g < math.inf and f != g:
        share = (math.log(level) - math.log(f)) / (math.log(g) - math.log(f))
    return math.exp(math.log(a) + (math.log(b) - math.log(a)) * min(max(share, 0.1), 0.9))


def steps_within(budget: Budget, accountant: Accountant, kind: Steps, history: Sequence[Steps] = ()) -> int:
    """Number of steps of the noise and sample rate of `kind` (its count is not used) that fit after `history`; at most 1e9.

    Guarantee: the accountant's epsilon of `history` and the answer is at most the budget's, and that of one step more is
    above it or unknown.
    """
    known: dict[int, float] = {}

    def epsilon(count: int) -> float:
        if count not in known:
            known[count] = _epsilon(accountant, [*history, replace(kind, count=count)], budget.delta)
        return known[count]

    check_epsilon(budget.epsilon)
    if epsilon(1) > budget.epsilon:
        return 0
    low = high = 1
    if not isinstance(accountant, RdpAccountant):
        low = high = max(1, min(steps_within(budget, RdpAccountant(), kind, history), MOST_STEPS))
        while epsilon(low) > budget.epsilon:
            low, high = max(1, low * 3 // 4), low
    growth = 1.25
    while high == low or epsilon(high) <= budget.epsilon:
        if epsilon(high) <= budget.epsilon and high >= MOST_STEPS:
            return MOST_STEPS
        low, high, growth = high, min(MOST_STEPS, max(high + 1, int(high * growth))), growth * growth
    return _largest(epsilon, budget.epsilon, low, high)


def _largest(epsilon: Callable[[int], float], target: float, low: int, high: int) -> int:
    """The largest count whose epsilon is at most the target, between one that fits and one that does not."""
    for turn in range(200):
        if high - low <= 1:
            break
        middle = (low + high) // 2
        if turn % 3 < 2:  # two steps along the power law for each bisection, which bounds the number of steps
            middle = math.floor(_interpolate((low, epsilon(low)), (high, epsilon(high)), target))
            middle = min(max(middle + turn % 3, low + 1), high - 1)
        if epsilon(middle) <= target:
            low = middle
        else:
            high = middle
    return low


def epochs_within(budget: Budget, accountant: Accountant, kind: Steps, history: Sequence[Steps] = ()) -> int:
    """Number of whole passes of 1 / sample_rate steps that fit; see steps_within."""
    return math.floor(steps_within(budget, accountant, kind, history) * kind.sample_rate * (1 + 1e-12))


def steps_of_epochs(epochs: float, sample_rate: float) -> int:
    """Steps in which a row takes part `epochs` times on average, rounded up so that none goes unaccounted for."""
    return math.ceil(epochs / sample_rate * (1 - 1e-12))


def _epsilon(accountant: Accountant, history: Sequence[Steps], delta: float) -> float:
    try:
        return accountant.epsilon(history, delta)
    except AccountingError:
        return math.inf  # what is not known is never affordable
