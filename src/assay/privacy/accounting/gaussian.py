"""Exact accounting of Gaussian releases by Gaussian differential privacy (Dong, Roth & Su 2019, Corollary 1)."""

from __future__ import annotations

import math

from assay.errors import InputError


def _log_cdf(x: float) -> float:
    from scipy import special

    return float(special.log_ndtr(x))


def check_delta(delta: float) -> None:
    """Raises InputError unless delta lies in (0, 1)."""
    if not 0 < delta < 1:
        raise InputError("privacy.delta", delta, "must lie in (0, 1)", "1e-5 is usual; stay below 1 / rows")


def check_epsilon(epsilon: float) -> None:
    """Raises InputError unless epsilon is positive and finite."""
    if not epsilon > 0 or math.isinf(epsilon):
        remedy = "use privacy=none for a run without privacy"
        raise InputError("privacy.epsilon", epsilon, "must be > 0 and finite", remedy)


def delta_at(epsilon: float, mu: float) -> float:
    """Smallest delta for which a mu-GDP mechanism is (epsilon, delta)-DP.

    ``delta = Phi(-epsilon/mu + mu/2) - exp(epsilon) Phi(-epsilon/mu - mu/2)``; the second term is taken in logs, so that
    a large epsilon does not overflow.
    """
    if mu <= 0:
        return 0.0
    first, second = _log_cdf(-epsilon / mu + mu / 2), epsilon + _log_cdf(-epsilon / mu - mu / 2)
    return max(0.0, -math.exp(first) * math.expm1(second - first)) if second < first else 0.0


def epsilon_of(mu: float, delta: float) -> float:
    """Smallest epsilon for which a mu-GDP mechanism is (epsilon, delta)-DP; 0 when delta alone covers it.

    Golden number: mu=1, delta=1e-5 gives 4.3771781.
    """
    from scipy import optimize

    check_delta(delta)
    if delta_at(0.0, mu) <= delta:
        return 0.0
    upper = 1.0
    while delta_at(upper, mu) > delta:
        upper *= 2
    return float(optimize.brentq(lambda epsilon: delta_at(epsilon, mu) - delta, 0.0, upper, xtol=1e-13, rtol=1e-14))


def mu_of(epsilon: float, delta: float) -> float:
    """Largest mu whose mechanisms are all (epsilon, delta)-DP; never above the target after rounding.

    Raises InputError unless epsilon > 0 and delta lies in (0, 1).
    """
    from scipy import optimize

    check_delta(delta)
    check_epsilon(epsilon)
    upper = 1.0
    while delta_at(epsilon, upper) < delta:
        upper *= 2
    mu = float(optimize.brentq(lambda value: delta_at(epsilon, value) - delta, 1e-12, upper, xtol=1e-15, rtol=1e-14))
    while delta_at(epsilon, mu) > delta:
        mu *= 1 - 1e-13
    return mu


def zcdp_epsilon(mu: float, delta: float) -> float:
    """Looser cross-check by zCDP (Bun & Steinke 2016, Proposition 1.3): rho = mu^2 / 2."""
    rho = mu**2 / 2
    return rho + 2 * math.sqrt(rho * math.log(1 / delta))
