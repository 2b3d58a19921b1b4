"""The ledger counts releases one by one and refuses the one too many, before it is made."""

from __future__ import annotations

import numpy as np
import pytest

from assay.privacy.budget import Budget
from assay.privacy.gaussian import epsilon_of
from assay.privacy.ledger import Ledger, OverspentError
from assay.privacy.relations import Relation, Sensitivity

BUDGET = Budget(2.0, 1e-5)
CLIP = Sensitivity(0.7, Relation.ZERO_OUT)


def spend(ledger: Ledger, rounds: int, sigma: float) -> None:
    rows, replicates = ledger.touches.shape[1], ledger.touches.shape[0]
    for _ in range(rounds):
        for row in range(rows):
            ledger.charge(np.full(replicates, row), sigma)


@pytest.mark.parametrize("releases", [1, 7, 160])
@pytest.mark.parametrize("relation", list(Relation))
def test_planned_releases_spend_the_budget_and_never_exceed_it(releases: int, relation: Relation) -> None:
    budget, clip = Budget(2.0, 1e-5, relation), Sensitivity(0.7, relation)
    sigma = budget.noise_multiplier(releases, clip)
    ledger = Ledger(budget, clip, rows=3, replicates=2)
    spend(ledger, releases, sigma)
    assert ledger.epsilon() == pytest.approx(2.0, rel=1e-6)
    assert ledger.epsilon() <= 2.0
    assert (ledger.touches == releases).all()


def test_one_release_too_many_is_refused_and_leaves_no_trace() -> None:
    sigma = BUDGET.noise_multiplier(4, CLIP)
    ledger = Ledger(BUDGET, CLIP, rows=2)
    spend(ledger, 4, sigma)
    before = ledger.state_dict()
    with pytest.raises(OverspentError, match=r"privacy.epsilon=2: a further release of row 1 would reach 2\.2"):
        ledger.charge(np.array([1]), sigma)
    assert ledger.state_dict() == before


def test_noise_at_half_scale_is_caught_by_the_budget() -> None:
    """A broken calibration (noise for a quarter of the releases) runs out of budget after a quarter of them."""
    ledger = Ledger(BUDGET, CLIP, rows=1)
    with pytest.raises(OverspentError):
        spend(ledger, 40, BUDGET.noise_multiplier(40, CLIP) / 2)
    assert ledger.touches.max() == 10


def test_a_charge_that_is_no_number_is_refused() -> None:
    ledger = Ledger(BUDGET, CLIP, rows=1)
    with pytest.raises(OverspentError):
        ledger.charge(np.array([0]), float("nan"))
    assert ledger.touches.sum() == 0


def test_rows_have_accounts_of_their_own() -> None:
    """Parallel composition: what row 0 has spent leaves row 1 its whole budget."""
    sigma = BUDGET.noise_multiplier(1, CLIP)
    ledger = Ledger(BUDGET, CLIP, rows=2)
    ledger.charge(np.array([0]), sigma)
    ledger.charge(np.array([1]), sigma)
    with pytest.raises(OverspentError):
        ledger.charge(np.array([0]), sigma)


def test_epsilon_is_that_of_the_row_most_spent_on() -> None:
    ledger = Ledger(BUDGET, CLIP, rows=3)
    for row in (0, 1, 1, 1):
        ledger.charge(np.array([row]), 8.0)
    assert ledger.epsilon() == pytest.approx(epsilon_of(3**0.5 / 8.0, 1e-5), rel=1e-12)


def test_replace_one_needs_twice_the_noise_of_zero_out() -> None:
    zero_out = Budget(1.0, 1e-5).noise_multiplier(10, Sensitivity(1.0, Relation.ZERO_OUT))
    replace = Budget(1.0, 1e-5, Relation.REPLACE_ONE)
    assert replace.noise_multiplier(10, Sensitivity(1.0, Relation.REPLACE_ONE)) == pytest.approx(2 * zero_out)
    assert Sensitivity(0.5, Relation.REPLACE_ONE).value == 2 * Sensitivity(0.5, Relation.ZERO_OUT).value == 1.0


def test_variance_grows_in_proportion_to_the_releases() -> None:
    """sigma^2 / k is constant, 13.92 at epsilon 1 and delta 1e-5 (section 2 of the reconstruction)."""
    budget = Budget(1.0, 1e-5)
    ratios = [budget.noise_multiplier(k, Sensitivity(1.0, Relation.ZERO_OUT)) ** 2 / k for k in (1, 10, 1000)]
    assert ratios == pytest.approx([13.92] * 3, rel=1e-3)


def test_a_sensitivity_under_another_relation_is_refused() -> None:
    other = Sensitivity(1.0, Relation.REPLACE_ONE)
    with pytest.raises(ValueError, match="the budget for zero_out"):
        BUDGET.noise_multiplier(3, other)
    with pytest.raises(ValueError, match="the budget for zero_out"):
        Ledger(BUDGET, other, rows=1)


def test_a_ledger_goes_on_where_it_stopped() -> None:
    sigma = BUDGET.noise_multiplier(6, CLIP)
    first, second, whole = (Ledger(BUDGET, CLIP, rows=2) for _ in range(3))
    spend(first, 4, sigma)
    first.note(round=4)
    second.load_state_dict(first.state_dict())
    spend(second, 2, sigma)
    spend(whole, 6, sigma)
    assert second.epsilon() == whole.epsilon()
    assert second.entries == [{"round": 4, "releases": 8, "most_per_row": 4, "epsilon": first.epsilon(), "delta": 1e-5}]
    with pytest.raises(ValueError, match="cannot go on"):
        Ledger(BUDGET, CLIP, rows=3).load_state_dict(first.state_dict())
