"""Exact Gaussian accounting, against golden numbers, a second derivation and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from assay.errors import InputError
from assay.privacy.accounting.gaussian import delta_at, epsilon_of, mu_of, zcdp_epsilon


@pytest.mark.parametrize(
    ("mu", "epsilon"),
    [(1.0, 4.3771781), (0.26807, 1.0), (0.925, 4.0), (1.666, 8.0)],
)
def test_golden_numbers_at_delta_1e_5(mu: float, epsilon: float) -> None:
    digits = 1e-7 if mu == 1.0 else 2e-3  # the others are quoted to three digits
    assert epsilon_of(mu, 1e-5) == pytest.approx(epsilon, rel=digits)


def test_delta_is_the_hockey_stick_divergence_of_two_normals() -> None:
    """By numerical integration of (p - e^eps q)+, which shares nothing with the closed form."""
    for mu, epsilon in [(0.5, 0.3), (1.0, 1.0), (2.0, 3.0)]:

        def excess(x: float, mu: float = mu, epsilon: float = epsilon) -> float:
            return max(0.0, stats.norm.pdf(x, mu) - math.exp(epsilon) * stats.norm.pdf(x))

        crossing = epsilon / mu + mu / 2
        integral, _ = integrate.quad(excess, crossing, 40, epsabs=1e-13)
        assert delta_at(epsilon, mu) == pytest.approx(integral, rel=1e-8)


@given(st.floats(0.05, 30), st.floats(1e-9, 0.2))
def test_mu_and_epsilon_invert_each_other_and_never_exceed(epsilon: float, delta: float) -> None:
    mu = mu_of(epsilon, delta)
    assert delta_at(epsilon, mu) <= delta
    assert epsilon_of(mu, delta) == pytest.approx(epsilon, rel=1e-8)


@given(st.floats(0.05, 5), st.floats(1e-9, 1e-2))
def test_zcdp_is_the_looser_bound(mu: float, delta: float) -> None:
    assert zcdp_epsilon(mu, delta) >= epsilon_of(mu, delta)


def test_large_epsilon_does_not_overflow() -> None:
    assert 0 <= delta_at(2000.0, 3.0) < 1e-300
    assert mu_of(500.0, 1e-5) > mu_of(50.0, 1e-5) > 5


def test_nothing_released_costs_nothing() -> None:
    assert epsilon_of(0.0, 1e-5) == 0.0
    assert delta_at(0.5, 0.0) == 0.0


@pytest.mark.parametrize("epsilon", [0.0, -1.0, math.inf, math.nan])
def test_an_impossible_epsilon_is_refused(epsilon: float) -> None:
    with pytest.raises(InputError, match=r"privacy.epsilon=.*must be > 0.*privacy=none"):
        mu_of(epsilon, 1e-5)


@pytest.mark.parametrize("delta", [0.0, 1.0, -0.1, 2.0])
def test_an_impossible_delta_is_refused(delta: float) -> None:
    with pytest.raises(InputError, match=r"privacy.delta=.*must lie in \(0, 1\)"):
        mu_of(1.0, delta)


def test_the_best_attack_on_a_gaussian_release_reaches_its_delta() -> None:
    """Empirical (epsilon, delta) trade-off of the likelihood-ratio test on 400,000 draws; tolerance 4 standard errors."""
    mu, epsilon, draws = 1.5, 1.0, 400_000
    noise = np.random.default_rng(5).standard_normal((2, draws))
    threshold = epsilon / mu + mu / 2
    hit, false_alarm = (noise[0] + mu > threshold).mean(), (noise[1] > threshold).mean()
    error = math.sqrt((1 + math.exp(2 * epsilon)) * 0.25 / draws)
    assert hit - math.exp(epsilon) * false_alarm == pytest.approx(delta_at(epsilon, mu), abs=4 * error)
