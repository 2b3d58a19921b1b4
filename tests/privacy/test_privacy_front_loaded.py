"""Budgets that are not spent evenly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.mechanisms import privacy_of

from assay.config import compose
from assay.errors import InputError
from assay.privacy.budget import Budget
from assay.privacy.ledger import OverspentError
from assay.privacy.relations import Relation, Sensitivity
from assay.privacy.rows.account import RowRelease


@given(st.floats(0.01, 0.99), st.integers(1, 200), st.sampled_from(["zero_out", "replace_one"]), st.floats(0.1, 20))
def test_the_releases_spend_the_budget_and_never_more(share: float, rounds: int, relation: str, epsilon: float) -> None:
    privacy = privacy_of("front_loaded", epsilon=epsilon, relation=relation, first_share=share)
    multipliers = privacy.noise_multipliers(rounds)
    spent = ((privacy.sensitivity.relation.factor / multipliers) ** 2).sum()
    assert spent <= privacy.budget.mu**2
    assert spent == pytest.approx(privacy.budget.mu**2, rel=1e-8)
    account = privacy.open_account(privacy.sensitivity, 1)
    for multiplier in multipliers:
        account.charge(RowRelease(np.zeros(1, dtype=np.int64), float(multiplier)))
    assert account.epsilon() <= epsilon
    assert account.epsilon() == pytest.approx(epsilon, rel=1e-6)
    if rounds > 1:
        first = (privacy.sensitivity.relation.factor / multipliers[0]) ** 2
        assert first / spent == pytest.approx(share)
        assert np.ptp(multipliers[1:]) == 0


def test_equal_noise_at_the_first_rounds_scale_is_refused() -> None:
    """Broken variant: the multiplier of round 1, which has nine tenths of the budget, taken for every round."""
    privacy = privacy_of("front_loaded", epsilon=2.0, first_share=0.9)
    account, first = privacy.open_account(privacy.sensitivity, 3), float(privacy.noise_multipliers(5)[0])
    account.charge(RowRelease(np.array([1]), first))
    with pytest.raises(OverspentError, match="a further release of row 1 would reach"):
        account.charge(RowRelease(np.array([1]), first))
    assert account.touches.tolist() == [[0, 1, 0]]


def test_an_even_share_is_the_even_budget_and_a_golden_number() -> None:
    even = privacy_of("front_loaded", epsilon=1.0, first_share=1 / 8).noise_multipliers(8)
    np.testing.assert_allclose(even, privacy_of("iid", epsilon=1.0).noise_multipliers(8), rtol=1e-9)
    # (1, 1e-5) allows mu = 0.2681, so that one release of nine tenths has sigma = sqrt(13.92 / 0.9)
    assert privacy_of("front_loaded", epsilon=1.0).noise_multipliers(40)[0] ** 2 == pytest.approx(13.92 / 0.9, rel=1e-3)


def test_releases_count_by_the_inverse_of_their_variance() -> None:
    assert privacy_of("running_mean").release_weights(4).tolist() == [1.0, 1.0, 1.0, 1.0]
    weights = privacy_of("front_loaded", first_share=0.7).release_weights(4)
    np.testing.assert_allclose(weights / weights.sum(), [0.7, 0.1, 0.1, 0.1])


@pytest.mark.parametrize("share", ["0.0", "1.0", "1.5", ".nan"])
def test_shares_outside_their_range_are_refused(share: str) -> None:
    with pytest.raises(InputError, match=r"privacy.first_share=.*(between 0 and 1|must be a number)"):
        compose(["privacy=front_loaded", f"privacy.first_share={share}"])


@pytest.mark.parametrize("shares", [[0.6, 0.6], [1.0, 0.0], [0.5, -0.1], [np.nan, 0.5]])
def test_shares_that_would_overspend_are_refused(shares: list[float]) -> None:
    with pytest.raises(ValueError, match="sum to 1 at most"):
        Budget(1.0, 1e-5).noise_multipliers(np.array(shares), Sensitivity(1.0, Relation.ZERO_OUT))
