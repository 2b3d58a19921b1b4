"""Every accountant by name, and the two that need no numerical composition."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from assay.errors import InputError
from assay.privacy.accounting.gaussian import check_delta, epsilon_of, zcdp_epsilon
from assay.privacy.accounting.prv import PrvAccountant
from assay.privacy.accounting.renyi import RdpAccountant
from assay.privacy.accounting.steps import Accountant, Steps


class GaussianAccountant:
    """Exact accounting of steps in which every row takes part, by Gaussian differential privacy.

    Guarantee: epsilon is the smallest for which the composition is (epsilon, delta)-DP (Dong, Roth & Su 2019, Corollaries
    1 and 2). A sample rate below 1 is refused: the central limit theorem that Opacus' `gdp` applies to it is no upper bound.
    """

    name = "gaussian"

    def epsilon(self, history: Sequence[Steps], delta: float) -> float:
        """Epsilon at `delta`; raises InputError when a row takes part by chance."""
        rate = min((steps.sample_rate for steps in history if steps.count), default=1.0)
        if rate < 1:
            limit = f"counts full participation, and the sample rate is {rate:g}"
            raise InputError("privacy.accountant", self.name, limit, "use privacy.accountant=prv or rdp")
        return epsilon_of(_total_mu(history), delta)


class ZcdpAccountant:
    """Zero-concentrated accounting without amplification: a looser cross-check of the others.

    Guarantee: an upper bound (Bun & Steinke 2016, Propositions 1.3 and 1.6). A sample rate below 1 counts as 1: by the
    quasi-convexity of Renyi divergences a sampled step costs no more than one in which every row takes part.
    """

    name = "zcdp"

    def epsilon(self, history: Sequence[Steps], delta: float) -> float:
        """Epsilon at `delta`."""
        check_delta(delta)
        return zcdp_epsilon(_total_mu(history), delta)


def _total_mu(history: Sequence[Steps]) -> float:
    return math.sqrt(math.fsum(steps.count / steps.noise_multiplier**2 for steps in history))


ACCOUNTANTS: dict[str, Callable[[], Accountant]] = {
    accountant.name: accountant for accountant in (GaussianAccountant, RdpAccountant, PrvAccountant, ZcdpAccountant)
}


def open_accountant(name: str) -> Accountant:
    """The accountant of this name with an empty cache: `gaussian`, `rdp`, `prv` or `zcdp`; raises InputError for another."""
    if name not in ACCOUNTANTS:
        raise InputError("privacy.accountant", name, f"must be one of {', '.join(ACCOUNTANTS)}", "prv is the tightest")
    return ACCOUNTANTS[name]()
