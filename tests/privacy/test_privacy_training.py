"""The account of training: cheap to ask, exact to resume, and it refuses before anything is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from assay.errors import InputError
from assay.privacy.accounting.accountants import open_accountant
from assay.privacy.accounting.calibration import noise_multiplier_for
from assay.privacy.accounting.renyi import RdpAccountant
from assay.privacy.accounting.steps import Accountant, Steps
from assay.privacy.accounting.training import NoisySteps, TrainingAccount
from assay.privacy.budget import Budget
from assay.privacy.ledger import Ledger, OverspentError
from assay.privacy.poisson import PoissonSampler
from assay.privacy.relations import Relation, Sensitivity

BUDGET, CLIP = Budget(3.0, 1e-5, Relation.ADD_REMOVE), Sensitivity(1.0, Relation.ADD_REMOVE)
RDP = RdpAccountant()  # its cache is shared by the tests; it holds nothing that a test could change


def sampler(rate: float = 0.05) -> PoissonSampler:
    return PoissonSampler(200, rate, lambda step: np.random.default_rng(step))


def account(accountant: Accountant = RDP, budget: Budget = BUDGET) -> TrainingAccount:
    return TrainingAccount(budget, Sensitivity(1.0, budget.relation), accountant)


@dataclass
class Asked:
    """An accountant that counts how often it is asked."""

    inner: Accountant
    times: int = 0
    histories: list[Sequence[Steps]] = field(default_factory=list)
    name: str = "asked"

    def epsilon(self, history: Sequence[Steps], delta: float) -> float:
        self.times += 1
        return self.inner.epsilon(history, delta)


@pytest.mark.parametrize("name", ["rdp", "prv"])
def test_planned_steps_fit_and_the_step_too_many_is_refused(name: str) -> None:
    accountant = open_accountant(name)
    noise = noise_multiplier_for(BUDGET, CLIP, accountant, 0.05, 100)
    spent, step = account(accountant), NoisySteps(noise, sampler())
    for _ in range(100):
        spent.charge(step)
    while spent.remaining(step):
        spent.charge(step)
    before = spent.state_dict()
    with pytest.raises(OverspentError, match=rf"privacy.epsilon=3: 1 further steps, and 0 fit by .*={name}; none was"):
        spent.charge(step)
    assert spent.state_dict() == before
    assert 3.0 * 0.999 <= spent.epsilon() <= 3.0
    assert 100 <= spent.totals()["steps"] <= 101


def test_a_charge_does_not_ask_the_accountant() -> None:
    """PRV takes tenths of a second: it may be asked for each kind of step, not for each step."""
    asked = Asked(RDP)
    spent, step = account(asked), NoisySteps(2.0, sampler())
    spent.charge(step)
    opened = asked.times
    for _ in range(50):
        spent.charge(step)
    assert asked.times == opened
    spent.charge(NoisySteps(3.0, sampler()))
    assert opened < asked.times < 5 * opened


def test_noise_at_half_scale_runs_out_of_budget() -> None:
    """A calibration that is wrong by two cannot spend more: it stops long before its plan is made."""
    noise = noise_multiplier_for(BUDGET, CLIP, RDP, 0.05, 100)
    spent = account()
    with pytest.raises(OverspentError):
        spent.charge(NoisySteps(noise / 2, sampler(), 100))
    assert spent.history == []
    assert spent.remaining(NoisySteps(noise / 2, sampler())) < 25


def test_the_sample_rate_is_that_of_the_sampler() -> None:
    """An account for the wrong sample rate cannot be opened: no other rate can be said, and full participation is expensive."""
    noise = noise_multiplier_for(BUDGET, CLIP, RDP, 0.05, 100)
    spent = account()
    spent.charge(NoisySteps(noise, sampler(0.05)))
    assert spent.history == [Steps(noise, 0.05, 1)]
    assert account().remaining(NoisySteps(noise, sampler(0.1))) < 50  # twice the rate of the plan
    assert account().remaining(NoisySteps(noise)) < 10  # no sampler, no amplification
    with pytest.raises(TypeError):
        NoisySteps(noise, sample_rate=0.01)  # type: ignore[call-arg]


def test_kinds_of_steps_compose_whatever_their_order() -> None:
    kinds = [NoisySteps(1.5, sampler(), 3), NoisySteps(6.0, None, 1), NoisySteps(1.5, sampler(), 4)]
    forth, back = account(), account()
    for one, other in zip(kinds, reversed(kinds), strict=True):
        forth.charge(one)
        back.charge(other)
    assert forth.epsilon() == pytest.approx(back.epsilon(), rel=1e-12)
    assert forth.epsilon() == RDP.epsilon([Steps(1.5, 0.05, 7), Steps(6.0, 1.0, 1)], 1e-5)
    assert forth.totals() == {"steps": 8, "accountant": "rdp"}


def test_what_one_kind_spent_is_not_there_for_another() -> None:
    """An account that counted each kind against the whole budget would spend it once for each kind."""
    spent, first, second = account(), NoisySteps(1.5, sampler()), NoisySteps(1.0, sampler())
    fresh = spent.remaining(second)
    spent.charge(NoisySteps(1.5, sampler(), spent.remaining(first) // 2))
    assert 0 < spent.remaining(second) < fresh
    spent.charge(NoisySteps(1.0, sampler(), spent.remaining(second)))
    assert 2.8 < spent.epsilon() <= 3.0
    assert spent.remaining(second) == 0


def test_a_loaded_history_is_asked_about_afresh() -> None:
    """The count that fitted before the load says nothing about the history that was loaded."""
    spent, other, step = account(), account(), NoisySteps(1.0, sampler())
    other.charge(NoisySteps(4.0, None, 1))
    fresh = spent.remaining(step)
    spent.load_state_dict(other.state_dict())
    assert spent.remaining(step) == other.remaining(step) < fresh


def test_replace_one_is_accounted_for_without_a_sampler_only() -> None:
    budget = Budget(3.0, 1e-5, Relation.REPLACE_ONE)
    spent = account(open_accountant("gaussian"), budget)
    noise = budget.noise_multiplier(10, Sensitivity(1.0, Relation.REPLACE_ONE))
    assert spent.remaining(NoisySteps(noise)) == 10
    with pytest.raises(InputError, match=r"privacy.relation=replace_one: amplification by sampling"):
        spent.charge(NoisySteps(noise, sampler()))


def test_a_charge_is_for_a_step_or_more() -> None:
    with pytest.raises(ValueError, match="count=0: a charge is for one step or more"):
        account().charge(NoisySteps(2.0, sampler(), 0))


def test_a_ledger_of_steps_goes_on_where_it_stopped() -> None:
    step = NoisySteps(2.0, sampler())
    first, second, whole = (Ledger(account()) for _ in range(3))
    for ledger, number in ((first, 4), (whole, 10)):
        for _ in range(number):
            ledger.charge(step)
    first.note(noise="seeded", step=4)
    second.load_state_dict(first.state_dict())
    for _ in range(6):
        second.charge(step)
    assert second.epsilon() == whole.epsilon()
    assert second.account.state_dict() == whole.account.state_dict()
    assert second.entries == [
        {"step": 4, "steps": 4, "accountant": "rdp", "epsilon": first.epsilon(), "delta": 1e-5}
        | {"noise": "seeded", "relation": "add_remove"},
    ]
    left = [ledger.account.remaining(step) for ledger in (second, whole)]  # type: ignore[attr-defined]
    assert left[0] == left[1] > 0
