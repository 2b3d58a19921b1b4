"""The account of pure releases."""

from __future__ import annotations

import pytest

from assay.errors import InputError
from assay.privacy.budget import Budget
from assay.privacy.ledger import Ledger, OverspentError
from assay.privacy.relations import Relation
from assay.privacy.rows.pure_account import PureAccount, PureRelease


def account(epsilon: float = 4.0, delta: float = 1e-5) -> PureAccount:
    return PureAccount(Budget(epsilon, delta, Relation.ZERO_OUT), rows=3, replicates=2)


def test_shares_add_up_and_the_next_release_is_refused() -> None:
    spent = account()
    spent.charge(PureRelease(1.0, 1e-5))
    spent.charge(PureRelease(3.0))
    assert spent.epsilon() == 4.0
    assert spent.totals() == {"releases": 12, "most_per_row": 2}
    with pytest.raises(OverspentError, match=r"would reach epsilon=4\.1"):
        spent.charge(PureRelease(0.1))
    assert spent.totals()["most_per_row"] == 2  # nothing counted


@pytest.mark.parametrize(
    "release",
    [PureRelease(4.0001), PureRelease(1.0, 1.1e-5), PureRelease(0.0), PureRelease(-1.0), PureRelease(float("nan"))],
)
def test_a_release_above_the_budget_or_without_meaning_is_refused(release: PureRelease) -> None:
    with pytest.raises(OverspentError):
        account().charge(release)


def test_three_thirds_are_a_whole() -> None:
    spent = account(epsilon=1.0)
    for _ in range(3):
        spent.charge(PureRelease(1 / 3))
    assert spent.epsilon() <= 1.0


def test_it_goes_on_from_a_checkpoint_through_the_ledger() -> None:
    ledger = Ledger(account())
    ledger.charge(PureRelease(3.0))
    ledger.note(noise="seeded", what="values")
    again = Ledger(account())
    again.load_state_dict(ledger.state_dict())
    assert again.epsilon() == 3.0
    with pytest.raises(OverspentError):
        again.charge(PureRelease(1.5))
    with pytest.raises(ValueError, match="cannot go on"):
        PureAccount(Budget(1.0, 1e-5), rows=4).load_state_dict(account().state_dict())


def test_add_remove_is_refused() -> None:
    with pytest.raises(InputError, match="shows that the row is there"):
        PureAccount(Budget(1.0, 1e-5, Relation.ADD_REMOVE), rows=3)
