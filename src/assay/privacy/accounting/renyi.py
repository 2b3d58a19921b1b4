"""Renyi accounting of Poisson-sampled Gaussian steps, by Opacus' formulas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
from numpy.typing import NDArray

from assay.privacy.accounting.gaussian import check_delta
from assay.privacy.accounting.steps import Cache, Steps

# Opacus' own orders, and more at both ends: with 63 as the largest, small epsilons come out several times too large.
ORDERS = (
    1.05,  # closer to 1 the series takes hundreds of milliseconds, for budgets that protect nobody
    *(1 + tenth / 10 for tenth in range(1, 100)),
    *range(12, 64),
    *(64, 80, 96, 128, 192, 256, 384, 512, 768, 1024),
)


@dataclass
class RdpAccountant:
    """Renyi accounting, with a cache of the cost of a step for each (noise multiplier, sample rate).

    Guarantee: an upper bound under add-remove and zero-out (Mironov, Talwar & Zhang 2019, section 3.3), turned into epsilon
    by Balle et al. 2020, Theorem 21. It is never below -log(delta * 1024) / 1023, the limit of the largest order.
    Golden number: noise 1.5, sample rate 0.04, 2250 steps and delta 1e-5 give 7.32911117.
    """

    cache: Cache = field(default_factory=lambda: Cache(limit=256))
    name: str = "rdp"

    def epsilon(self, history: Sequence[Steps], delta: float) -> float:
        """Epsilon at `delta`; infinite when no order has a finite cost."""
        check_delta(delta)
        spent = [
            steps.count * self.curve(steps.noise_multiplier, steps.sample_rate) for steps in history if steps.count
        ]
        if not spent:
            return 0.0
        orders = np.array(ORDERS, dtype=np.float64)
        conversion = np.log1p(-1 / orders) - (np.log(delta) + np.log(orders)) / (orders - 1)
        return max(0.0, float(np.min(np.sum(spent, axis=0) + conversion)))

    def curve(self, noise_multiplier: float, sample_rate: float) -> NDArray[np.float64]:
        """Renyi divergence of one step at each of ORDERS; infinite where Opacus' series fails."""
        key = (noise_multiplier, sample_rate)
        return cast("NDArray[np.float64]", self.cache.get(key, lambda: _curve(noise_multiplier, sample_rate)))


def _curve(noise_multiplier: float, sample_rate: float) -> NDArray[np.float64]:
    from opacus.accountants.analysis import rdp

    curve = np.full(len(ORDERS), np.inf)
    for index, order in enumerate(ORDERS):
        try:
            curve[index] = rdp.compute_rdp(
                q=sample_rate, noise_multiplier=noise_multiplier, steps=1, orders=float(order)
            )
        except (ValueError, OverflowError):
            continue  # an order less can only raise epsilon
    # the divergence grows with its order: a series that lost its digits shows as a fall, and is lifted
    return np.maximum.accumulate(np.nan_to_num(np.maximum(curve, 0.0), nan=np.inf, posinf=np.inf))
