"""Lower bounds on epsilon: true for mechanisms whose epsilon is known, and near it for many releases."""

from __future__ import annotations

import numpy as np
import pytest

from assay.privacy.audit import audit_scores


def coins(epsilon: float, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Randomised response: its epsilon is exactly `epsilon`."""
    generator = np.random.default_rng(seed)
    heads = np.exp(epsilon) / (1 + np.exp(epsilon))
    return tuple((generator.random(count) < chance).astype(float) for chance in (heads, 1 - heads))  # type: ignore[return-value]


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 2.0])
def test_randomised_response_is_seen_through_and_not_overstated(epsilon: float) -> None:
    result = audit_scores(*coins(epsilon, 100_000))
    assert 0.9 * epsilon < result.epsilon <= epsilon
    assert result.auc == pytest.approx(np.exp(epsilon) / (1 + np.exp(epsilon)), abs=0.01)


def test_the_bound_holds_in_95_of_100_repetitions() -> None:
    """A 95 % bound may be passed in 5 % of audits; more than 9 of 100 would happen by chance in 3 % of test suites."""
    broken = sum(audit_scores(*coins(1.0, 400, seed)).epsilon > 1.0 for seed in range(100))
    assert broken <= 9


def test_what_says_nothing_proves_nothing() -> None:
    generator = np.random.default_rng(0)
    result = audit_scores(generator.standard_normal(5_000), generator.standard_normal(5_000))
    assert result.epsilon < 0.3
    assert result.auc == pytest.approx(0.5, abs=0.03)
    assert result.tpr_at_1_percent == pytest.approx(0.01, abs=0.01)


def test_noise_at_half_scale_is_caught() -> None:
    """The broken variant: Laplace noise of half the scale that epsilon 1 asks for."""
    generator = np.random.default_rng(1)
    for scale, caught in ((1.0, False), (0.5, True)):
        result = audit_scores(1 + generator.laplace(0, scale, 50_000), generator.laplace(0, scale, 50_000))
        assert (result.epsilon > 1.0) == caught


def test_delta_is_granted() -> None:
    inside, outside = np.zeros(10_000), np.zeros(10_000)
    inside[:100] = 1.0  # an event of chance 0.01 that the other world never shows
    generator = np.random.default_rng(0)
    generator.shuffle(inside)
    assert audit_scores(inside, outside).epsilon > 1.0
    assert audit_scores(inside, outside, delta=0.02).epsilon < 0.1


def test_too_few_releases_are_refused() -> None:
    with pytest.raises(ValueError, match="20 releases or more"):
        audit_scores(np.zeros(19), np.zeros(100))
