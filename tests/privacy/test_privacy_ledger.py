"""The ledger counts releases one by one and refuses the one too many, before it is made."""

from __future__ import annotations

import numpy as np
import pytest

from assay.errors import InputError
from assay.privacy.accounting.gaussian import epsilon_of
from assay.privacy.budget import Budget
from assay.privacy.ledger import Ledger, OverspentError
from assay.privacy.relations import Relation, Sensitivity
from assay.privacy.rows.account import RowAccount, RowRelease

BUDGET = Budget(2.0, 1e-5)
SEEDED = {"noise": "seeded", "relation": "zero_out"}
CLIP = Sensitivity(0.7, Relation.ZERO_OUT)


def row_ledger(rows: int) -> Ledger[RowRelease]:
    return Ledger(RowAccount(BUDGET, CLIP, rows))


def spend(ledger: Ledger[RowRelease], rounds: int, sigma: float) -> None:
    replicates, rows = ledger.account.touches.shape
    for _ in range(rounds):
        for row in range(rows):
            ledger.charge(RowRelease(np.full(replicates, row), sigma))


@pytest.mark.parametrize("releases", [1, 7, 160])
@pytest.mark.parametrize("relation", [Relation.ZERO_OUT, Relation.REPLACE_ONE])
def test_planned_releases_spend_the_budget_and_never_exceed_it(releases: int, relation: Relation) -> None:
    budget, clip = Budget(2.0, 1e-5, relation), Sensitivity(0.7, relation)
    sigma = budget.noise_multiplier(releases, clip)
    ledger = Ledger(RowAccount(budget, clip, rows=3, replicates=2))
    spend(ledger, releases, sigma)
    assert ledger.epsilon() == pytest.approx(2.0, rel=1e-6)
    assert ledger.epsilon() <= 2.0
    assert (ledger.account.touches == releases).all()


def test_one_release_too_many_is_refused_and_leaves_no_trace() -> None:
    sigma = BUDGET.noise_multiplier(4, CLIP)
    ledger = row_ledger(2)
    spend(ledger, 4, sigma)
    before = ledger.state_dict()
    with pytest.raises(OverspentError, match=r"privacy.epsilon=2: a further release of row 1 would reach 2\.2"):
        ledger.charge(RowRelease(np.array([1]), sigma))
    assert ledger.state_dict() == before


def test_noise_at_half_scale_is_caught_by_the_budget() -> None:
    """A broken calibration (noise for a quarter of the releases) runs out of budget after a quarter of them."""
    ledger = row_ledger(1)
    with pytest.raises(OverspentError):
        spend(ledger, 40, BUDGET.noise_multiplier(40, CLIP) / 2)
    assert ledger.account.touches.max() == 10


def test_a_charge_that_is_no_number_is_refused() -> None:
    ledger = row_ledger(1)
    with pytest.raises(OverspentError):
        ledger.charge(RowRelease(np.array([0]), float("nan")))
    assert ledger.account.touches.sum() == 0


def test_rows_have_accounts_of_their_own() -> None:
    """Parallel composition: what row 0 has spent leaves row 1 its whole budget."""
    sigma = BUDGET.noise_multiplier(1, CLIP)
    ledger = row_ledger(2)
    ledger.charge(RowRelease(np.array([0]), sigma))
    ledger.charge(RowRelease(np.array([1]), sigma))
    with pytest.raises(OverspentError):
        ledger.charge(RowRelease(np.array([0]), sigma))


def test_epsilon_is_that_of_the_row_most_spent_on() -> None:
    ledger = row_ledger(3)
    for row in (0, 1, 1, 1):
        ledger.charge(RowRelease(np.array([row]), 8.0))
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
        Ledger(RowAccount(BUDGET, other, rows=1))


def test_add_remove_has_no_account_of_rows() -> None:
    """A value with a row's name on it shows that the row is there, however much noise it holds."""
    with pytest.raises(InputError, match=r"privacy.relation=add_remove: a release of a row shows .*zero_out"):
        RowAccount(Budget(1.0, 1e-5, Relation.ADD_REMOVE), Sensitivity(1.0, Relation.ADD_REMOVE), rows=1)


def test_a_ledger_goes_on_where_it_stopped() -> None:
    sigma = BUDGET.noise_multiplier(6, CLIP)
    first, second, whole = (row_ledger(2) for _ in range(3))
    spend(first, 4, sigma)
    first.note(noise="seeded", round=4)
    second.load_state_dict(first.state_dict())
    spend(second, 2, sigma)
    spend(whole, 6, sigma)
    assert second.epsilon() == whole.epsilon()
    assert second.entries == [
        {"round": 4, "releases": 8, "most_per_row": 4, "epsilon": first.epsilon(), "delta": 1e-5, **SEEDED}
    ]
    with pytest.raises(ValueError, match="cannot go on"):
        row_ledger(3).load_state_dict(first.state_dict())
