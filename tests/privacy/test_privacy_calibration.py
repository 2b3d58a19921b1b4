"""Calibration: never above the target, within a thousandth below it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import InputError
from assay.privacy.accounting.accountants import open_accountant
from assay.privacy.accounting.calibration import (
    TOLERANCE,
    epochs_within,
    noise_multiplier_for,
    steps_of_epochs,
    steps_within,
)
from assay.privacy.accounting.renyi import RdpAccountant
from assay.privacy.accounting.steps import Steps
from assay.privacy.budget import Budget
from assay.privacy.relations import Relation, Sensitivity

RDP = RdpAccountant()


def calibrated(name: str, epsilon: float, rate: float, steps: int, relation: Relation) -> tuple[float, float]:
    """The noise multiplier, and the epsilon of a fresh accountant for it."""
    budget, clip = Budget(epsilon, 1e-5, relation), Sensitivity(1.0, relation)
    noise = noise_multiplier_for(budget, clip, open_accountant(name), rate, steps)
    return noise, open_accountant(name).epsilon([Steps.under(relation, noise, rate, steps)], 1e-5)


@settings(max_examples=5)
@given(st.floats(0.05, 50), st.floats(0.001, 0.9), st.integers(1, 5000))
def test_rdp_noise_lands_in_the_window(epsilon: float, rate: float, steps: int) -> None:
    _, reached = calibrated("rdp", epsilon, rate, steps, Relation.ADD_REMOVE)
    assert epsilon * (1 - TOLERANCE) <= reached <= epsilon


@pytest.mark.parametrize(
    ("epsilon", "rate", "steps"), [(0.3, 0.01, 50), (1.0, 0.05, 300), (3.0, 0.02, 200), (8.0, 0.2, 40)]
)
@pytest.mark.parametrize("name", ["prv", "zcdp"])
def test_noise_of_the_other_accountants_lands_in_the_window(name: str, epsilon: float, rate: float, steps: int) -> None:
    _, reached = calibrated(name, epsilon, rate, steps, Relation.ZERO_OUT)
    assert epsilon * (1 - TOLERANCE) <= reached <= epsilon


@pytest.mark.parametrize("name", ["gaussian", "rdp", "prv", "zcdp"])
def test_replace_one_needs_twice_the_noise(name: str) -> None:
    once, _ = calibrated(name, 2.0, 1.0, 30, Relation.ADD_REMOVE)
    twice, reached = calibrated(name, 2.0, 1.0, 30, Relation.REPLACE_ONE)
    assert twice == 2 * once
    assert 2.0 * (1 - TOLERANCE) <= reached <= 2.0


def test_prv_needs_less_noise_than_rdp() -> None:
    assert calibrated("prv", 3.0, 0.02, 200, Relation.ADD_REMOVE) < calibrated(
        "rdp", 3.0, 0.02, 200, Relation.ADD_REMOVE
    )


@settings(max_examples=10)
@given(st.floats(0.1, 30), st.floats(0.001, 1.0), st.floats(0.6, 10))
def test_rdp_steps_are_the_last_that_fit(epsilon: float, rate: float, noise: float) -> None:
    steps = steps_within(Budget(epsilon, 1e-5), RDP, Steps(noise, rate, 0))
    if steps < 10**9:
        assert RDP.epsilon([Steps(noise, rate, steps + 1)], 1e-5) > epsilon
    assert RDP.epsilon([Steps(noise, rate, steps)], 1e-5) <= epsilon


@pytest.mark.parametrize(
    ("epsilon", "noise", "rate"), [(1.0, 1.2, 0.02), (3.0, 1.0, 0.05), (0.2, 3.0, 0.01), (0.005, 1.0, 0.1)]
)
def test_prv_steps_are_the_last_that_fit(epsilon: float, noise: float, rate: float) -> None:
    prv = open_accountant("prv")
    steps = steps_within(Budget(epsilon, 1e-5), prv, Steps(noise, rate, 0))
    assert (
        prv.epsilon([Steps(noise, rate, steps)], 1e-5) <= epsilon < prv.epsilon([Steps(noise, rate, steps + 1)], 1e-5)
    )


def test_what_was_spent_before_leaves_fewer_steps() -> None:
    kind, before = Steps(1.0, 0.05, 0), [Steps(4.0, 1.0, 1)]
    alone, after = (steps_within(Budget(3.0, 1e-5), RDP, kind, history) for history in ([], before))
    assert 0 < after < alone
    assert RDP.epsilon([*before, Steps(1.0, 0.05, after)], 1e-5) <= 3.0
    assert steps_within(Budget(0.5, 1e-5), RDP, kind, before) == 0


def test_noise_and_steps_invert_each_other() -> None:
    """The steps planned for fit, and the tolerance leaves room for a thousandth of them at the most."""
    budget, clip = Budget(3.0, 1e-5), Sensitivity(1.0, Relation.ZERO_OUT)
    noise = noise_multiplier_for(budget, clip, RDP, 0.04, 2250)
    assert 2250 <= steps_within(budget, RDP, Steps(noise, 0.04, 0)) <= 2250 * 1.002


def test_epochs_are_whole_and_their_steps_all_accounted_for() -> None:
    """Opacus rounds epochs / sample_rate down: for 256 of 1000 rows it accounts for 3 of the 4 steps that a pass takes."""
    assert steps_of_epochs(1, 0.256) == 4
    assert steps_of_epochs(3, 0.1) == 30
    budget, kind = Budget(1.0, 1e-5), Steps(1.3, 0.01, 0)
    steps, epochs = steps_within(budget, RDP, kind), epochs_within(budget, RDP, kind)
    assert steps_of_epochs(epochs, 0.01) <= steps < steps_of_epochs(epochs + 1, 0.01)


@pytest.mark.parametrize("epsilon", [0.001, 0.005])
@pytest.mark.parametrize("name", ["prv", "rdp"])
def test_a_budget_below_the_reach_of_an_accountant_is_refused(name: str, epsilon: float) -> None:
    """PRV adds 0.01 to every answer; RDP needs an order above its largest. Neither may pretend."""
    if name == "rdp" and epsilon == 0.005:
        assert calibrated(name, epsilon, 0.1, 10, Relation.ZERO_OUT)[1] <= epsilon
        return
    with pytest.raises(InputError, match=rf"privacy.epsilon={epsilon}: cannot be reached by privacy.accountant={name}"):
        calibrated(name, epsilon, 0.1, 10, Relation.ZERO_OUT)


def test_questions_without_an_answer_are_refused() -> None:
    clip = Sensitivity(1.0, Relation.ZERO_OUT)
    with pytest.raises(InputError, match=r"privacy.epsilon=0.0: must be > 0"):
        noise_multiplier_for(Budget(0.0, 1e-5), clip, RDP, 0.1, 10)
    with pytest.raises(InputError, match=r"steps=0: must be >= 1"):
        noise_multiplier_for(Budget(1.0, 1e-5), clip, RDP, 0.1, 0)
    with pytest.raises(ValueError, match="must agree"):
        noise_multiplier_for(Budget(1.0, 1e-5, Relation.REPLACE_ONE), clip, RDP, 1.0, 10)
    with pytest.raises(InputError, match=r"use privacy.accountant=prv or rdp"):
        noise_multiplier_for(Budget(1.0, 1e-5), clip, open_accountant("gaussian"), 0.1, 10)
