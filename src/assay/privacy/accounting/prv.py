"""Accounting of Poisson-sampled Gaussian steps by their privacy loss itself, by Opacus' numerical composition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from assay.privacy.accounting.gaussian import check_delta
from assay.privacy.accounting.steps import AccountingError, Cache, Steps

EPSILON_ERROR = 0.01  # stands in every epsilon told, as the margin of the numerical composition
LARGEST_LOSS = 500.0  # exp of the privacy loss has to stay a double
LARGEST_GRID = 2**23  # points; half a gigabyte and several seconds


@dataclass
class PrvAccountant:
    """Privacy-loss accounting: the tightest for sampled steps; keeps the discretised losses used last.

    Guarantee: an upper bound under add-remove and zero-out with errors accounted for (Gopi, Lee & Wutschitz 2021, Theorem
    5.5), at the cost of an additive 0.01. The grid is that of Opacus for the next power of two of steps, which is finer and
    wider than the grid for the steps asked for, so that histories that grow share it.
    Golden number: noise 1.5, sample rate 0.04, 2249 steps and delta 1e-5 give 6.7773957 (1e-5 relative).
    """

    cache: Cache = field(default_factory=lambda: Cache(limit=6))
    name: str = "prv"

    def epsilon(self, history: Sequence[Steps], delta: float) -> float:
        """Epsilon at `delta`; raises AccountingError where the loss overflows or the grid is too large."""
        import numpy as np

        check_delta(delta)
        history = [steps for steps in history if steps.count]
        if not history:
            return 0.0
        # a sample rate of 1 takes the logarithm of 0, which is right: the loss is then unbounded below
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            return self._epsilon(history, delta)

    def _epsilon(self, history: Sequence[Steps], delta: float) -> float:
        from opacus.accountants.analysis.prv import compose_heterogeneous

        error = delta / 1000
        domain = self._domain(history, error)
        losses = [self._loss(steps.noise_multiplier, steps.sample_rate, domain) for steps in history]
        try:
            composed = compose_heterogeneous(losses, [steps.count for steps in history])
            epsilon = float(composed.compute_epsilon(delta, error, EPSILON_ERROR)[2])
        except (RuntimeError, ValueError) as failure:
            raise _refusal(str(failure)) from failure
        if not math.isfinite(epsilon):
            raise _refusal("the privacy loss overflows")
        return max(0.0, epsilon)

    def _domain(self, history: Sequence[Steps], error: float) -> Any:
        plan = tuple(replace(steps, count=_next_power_of_two(steps.count)) for steps in history)
        return self.cache.get(("domain", plan, error), lambda: _open_domain(plan, error))

    def _loss(self, noise_multiplier: float, sample_rate: float, domain: Any) -> Any:
        key = ("loss", noise_multiplier, sample_rate, domain.t_min, domain.t_max, domain.size)
        return self.cache.get(key, lambda: _discretise(noise_multiplier, sample_rate, domain))


def _open_domain(plan: Sequence[Steps], error: float) -> Any:
    """Bounds and mesh for `plan`, as Opacus' accountant chooses them; refused before it takes minutes and gigabytes."""
    import warnings

    from opacus.accountants.analysis.prv import Domain, PoissonSubsampledGaussianPRV, compute_safe_domain_size

    counts = [steps.count for steps in plan]
    losses = [PoissonSubsampledGaussianPRV(steps.sample_rate, steps.noise_multiplier) for steps in plan]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the orders of its Renyi bound may be too few, which makes the bounds wider
        reach = float(compute_safe_domain_size(losses, counts, EPSILON_ERROR, error))
    mesh = EPSILON_ERROR / math.sqrt(sum(counts) * math.log(12 / error) / 2)
    if not reach < LARGEST_LOSS:
        raise _refusal(f"a privacy loss of up to {reach:.3g} overflows")
    if 2 * reach / mesh > LARGEST_GRID:
        raise _refusal(f"a grid of {2 * reach / mesh:.2g} points is too large")
    return Domain.create_aligned(-reach, reach, mesh)


def _discretise(noise_multiplier: float, sample_rate: float, domain: Any) -> Any:
    from opacus.accountants.analysis.prv import (
        PoissonSubsampledGaussianPRV,
        TruncatedPrivacyRandomVariable,
        discretize,
    )

    loss = PoissonSubsampledGaussianPRV(sample_rate, noise_multiplier)
    try:
        return discretize(TruncatedPrivacyRandomVariable(loss, domain.t_min, domain.t_max), domain)
    except (RuntimeError, ValueError) as failure:
        raise _refusal(str(failure)) from failure


def _refusal(why: str) -> AccountingError:
    remedy = "use privacy.accountant=rdp, which has no such limit"
    return AccountingError(f"privacy.accountant=prv: {why.rstrip('.')} ({remedy})")


def _next_power_of_two(count: int) -> int:
    return 1 << (count - 1).bit_length()
