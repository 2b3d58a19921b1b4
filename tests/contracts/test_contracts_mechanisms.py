"""The contract of a mechanism: its capabilities are true, it spends its budget and no more, and noise follows the budget."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import replace

import numpy as np
import pytest
from valuing import EVALUATIONS, NULL, data, pairs, plain, privacy_of, valued

from assay.config.compose import compose
from assay.errors import InputError
from assay.privacy.ledger import OverspentError
from assay.privacy.releases import Releases
from assay.privacy.rows.account import RowRelease
from assay.valuation.valuator import Valuation
from contracts import in_one_line, option, option_names

NAMES = option_names("privacy")
PRIVATE = [name for name in NAMES if privacy_of(name).releases]
GRADIENTS = [name for name in PRIVATE if privacy_of(name).releases is Releases.ROW_GRADIENT]
VALUATOR = "gradient_semivalue"
VALUED = [privacy for valuation, privacy in pairs() if valuation == VALUATOR and privacy in PRIVATE]
BAD = {"epsilon": ("-1", "0", "1e-20"), "delta": ("0", "1"), "relation": ("none",), "total": ("0",)}
SMALL = "dataset.split={train:300,valid:100,test:40}"


@pytest.mark.parametrize("name", NAMES)
def test_capabilities_are_true(name: str) -> None:
    mechanism = privacy_of(name)
    assert mechanism.name == name
    assert mechanism.private == (mechanism.releases is not None)
    assert isinstance(hash(mechanism), int)
    if mechanism.releases is None:
        assert mechanism.mu == math.inf
        assert mechanism.detection_ceiling() == 1.0
    if mechanism.one_release:
        assert mechanism.releases in (Releases.ROW_VECTOR, Releases.ROW_NUMBER, Releases.ROW_NUMBERS)
    if "burn_in" in mechanism.__dataclass_fields__:
        mechanism = replace(mechanism, burn_in=0.5)
    assert (mechanism.burn_in_rounds(EVALUATIONS) > 0) == mechanism.burns_in
    assert 0 <= mechanism.burn_in_rounds(EVALUATIONS) < EVALUATIONS


@pytest.mark.parametrize("name", GRADIENTS)
def test_a_round_steps_along_earlier_releases_where_they_are_reused(name: str) -> None:
    mechanism = privacy_of(name)
    weights = mechanism.reuse_matrix(EVALUATIONS).weights
    assert weights.shape == (EVALUATIONS, EVALUATIONS)
    assert (np.triu(weights, 1) == 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    reuses = mechanism.reuses or mechanism.combines_by_matrix
    assert bool((np.tril(weights, -1) != 0).any()) == reuses


@pytest.mark.parametrize("name", PRIVATE)
def test_somebody_accounts_for_its_releases(name: str) -> None:
    accounted: set[Releases] = set()
    for group in ("valuation", "task"):
        for each in option_names(group):
            accounted |= getattr(option(group, each), "accounts_for", frozenset())
    assert privacy_of(name).releases in accounted


@pytest.mark.parametrize("name", PRIVATE)
def test_a_larger_budget_protects_less(name: str) -> None:
    budgets = [privacy_of(name, epsilon=epsilon) for epsilon in (0.1, 1.0, 10.0)]
    for measure in ([each.mu for each in budgets], [each.detection_ceiling() for each in budgets]):
        assert measure == sorted(measure)
        assert measure[0] < measure[-1]
    assert all(0.5 < each.detection_ceiling() <= 1 for each in budgets)


def chosen(name: str) -> list[str]:
    """Overrides that choose a mechanism."""
    matrix = getattr(privacy_of(name), "matrix", None)
    return [f"privacy={name}", *([] if matrix is None else [f"privacy.matrix={matrix}"])]


@pytest.mark.parametrize("name", PRIVATE)
def test_what_is_no_budget_is_refused_in_one_line(name: str) -> None:
    for key, values in BAD.items():
        for value in values:
            with pytest.raises(InputError, match=rf"privacy\.{key}=") as refusal:
                compose([*chosen(name), f"privacy.{key}={value}", SMALL])
            assert in_one_line(refusal.value)


@pytest.mark.parametrize("valuation", option_names("valuation"))
@pytest.mark.parametrize("name", PRIVATE)
def test_a_valuator_without_an_account_is_refused_in_one_line(name: str, valuation: str) -> None:
    if (valuation, name) in pairs():
        return
    with pytest.raises(InputError, match=rf"privacy={name}: .*{valuation}") as refusal:
        compose([f"valuation={valuation}", *chosen(name), SMALL])
    assert in_one_line(refusal.value)


@pytest.mark.parametrize("name", VALUED)
def test_the_budget_is_spent_and_no_more(name: str) -> None:
    mechanism, done = privacy_of(name), plain(VALUATOR, name)
    spent = [entry["epsilon"] for entry in done.ledger]
    assert spent == sorted(spent)
    assert done.epsilon == spent[-1]
    assert 0.999 * mechanism.epsilon < done.epsilon <= mechanism.epsilon * (1 + 1e-9)
    assert {entry["relation"] for entry in done.ledger} == {mechanism.relation}


@pytest.mark.parametrize("name", VALUED)
def test_a_row_is_released_as_often_as_the_mechanism_says(name: str) -> None:
    most = plain(VALUATOR, name).ledger[-1]["most_per_row"]
    if privacy_of(name).one_release:
        assert most <= 2  # a trajectory on private rows is one more
    else:
        assert most == EVALUATIONS


@pytest.mark.parametrize("name", GRADIENTS)
def test_one_release_more_than_planned_is_refused(name: str) -> None:
    mechanism = privacy_of(name)
    sensitivity = mechanism.clipped(lambda quantile: 2.0)
    ledger = mechanism.open_ledger(mechanism.open_account(sensitivity, rows=3))
    multipliers = mechanism.noise_multipliers(EVALUATIONS)
    for multiplier in multipliers:
        ledger.charge(RowRelease(np.arange(1), float(multiplier)))
    assert ledger.epsilon() == pytest.approx(mechanism.epsilon, rel=1e-3)
    with pytest.raises(OverspentError):
        ledger.charge(RowRelease(np.arange(1), float(multipliers[-1])))
    ledger.charge(RowRelease(np.arange(1, 2), float(multipliers[0])))  # of another row


def error_of(done: Valuation) -> float:
    """Root mean square of the difference from the values without privacy."""
    return float(np.sqrt(np.mean((done.values.value - plain(VALUATOR, "none").values.value) ** 2)))


@pytest.mark.parametrize("name", VALUED)
def test_noise_follows_the_budget(name: str) -> None:
    least, most = (valued(VALUATOR, name, epsilon=epsilon) for epsilon in (0.1, 100.0))
    assert least.epsilon == pytest.approx(0.1, rel=1e-3)
    assert error_of(least) > 1.5 * error_of(most)  # with the most, the bias of clipping is left


@pytest.mark.parametrize("name", VALUED)
def test_secure_noise_is_said_in_the_ledger_and_never_repeats(name: str) -> None:
    first, again = (valued(VALUATOR, name, secure_noise=True) for _ in range(2))
    assert {entry["noise"] for done in (first, again) for entry in done.ledger} == {"secure"}
    assert not (first.values.value == again.values.value).any()


@pytest.mark.parametrize("name", [name for name in VALUED if privacy_of(name).releases is Releases.ROW_NUMBER])
def test_a_number_of_a_row_is_of_that_row_alone(name: str) -> None:
    if privacy_of(name).path is not None:  # the trajectory reads all rows
        return
    train = data().train
    features, row = train.features.copy(), 5
    features[row] = 0.0
    changed = valued(VALUATOR, name, rows=replace(data(), train=replace(train, features=features))).values
    values = plain(VALUATOR, name).values
    others = np.arange(len(train)) != row
    np.testing.assert_array_equal(changed.value[others], values.value[others])
    assert changed.value[row] != values.value[row]


@pytest.mark.parametrize("name", VALUED)
def test_a_row_of_any_size_moves_a_release_by_no_more_than_its_bound(name: str) -> None:
    train = data().train
    features, target = train.features.copy(), train.target.copy()
    features[NULL], target[NULL] = 1e6, -1e6
    outlier = valued(VALUATOR, name, rows=replace(data(), train=replace(train, features=features, target=target)))
    assert outlier.ledger == plain(VALUATOR, name).ledger
    assert np.isfinite(outlier.values.value).all()
    worst = np.abs(outlier.values.value - plain(VALUATOR, name).values.value).max()
    assert worst < 100 * np.abs(plain(VALUATOR, name).values.value).max()


def test_options_are_values() -> None:
    for name in NAMES:
        assert all(field.default is not dataclasses.MISSING for field in dataclasses.fields(privacy_of(name)))
