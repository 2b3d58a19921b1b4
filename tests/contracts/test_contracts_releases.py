"""The contract of releases: charged by their own noise, before it is drawn, in an account that fits the mechanism."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from assay.config.compose import compose
from assay.data import PreparedData
from assay.errors import InputError
from assay.experiment import prepared
from assay.learning.models.auto import Auto
from assay.learning.trainer import Trainer
from assay.privacy.ledger import Ledger, OverspentError
from assay.privacy.noise.sources import SeededNoise
from assay.privacy.option import Budgeted, Privacy
from assay.privacy.relations import Sensitivity
from assay.privacy.releases import Releases
from assay.privacy.rows.account import RowRelease
from assay.privacy.rows.parties import Level, party_sensitivity
from assay.privacy.rows.pure_account import PureRelease
from assay.privacy.scalar_laws.laws import law_of
from assay.runs.streams import Streams
from assay.valuation.estimates import Estimates
from assay.valuation.gradient.estimators import ESTIMATORS
from assay.valuation.gradient.semivalue import GradientSemivalue
from assay.valuation.valuator import Problem, Run
from contracts import in_one_line, option, option_names

K = 5
RELATIONS = ("zero_out", "replace_one")
ALL: dict[str, Privacy] = {name: option("privacy", name) for name in option_names("privacy")}
PRIVATE = {name: privacy for name, privacy in ALL.items() if isinstance(privacy, Budgeted)}
OF_ROWS = [name for name, privacy in PRIVATE.items() if privacy.releases in ESTIMATORS]


@pytest.fixture(scope="module")
def data() -> PreparedData:
    return prepared(compose(["dataset=breast_cancer", "dataset.split={train: 12, valid: 40, test: 20}"]))


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file for the mechanism that combines releases by a matrix: each evaluation is the mean of all so far."""
    path = tmp_path_factory.mktemp("matrix") / "weights.npy"
    np.save(path, np.tril(np.ones((K, K))) / np.arange(1, K + 1)[:, None])
    return str(path)


@pytest.fixture
def mechanism(matrix: str) -> Callable[..., Any]:
    """The mechanism of a name, few public trajectories where it has them."""

    def built(name: str, **changes: Any) -> Any:
        privacy = replace(ALL[name], **changes)
        for key, value in (("matrix", matrix), ("paths", 3)):
            privacy = replace(privacy, **{key: value}) if hasattr(privacy, key) else privacy
        return privacy

    return built


def estimates(data: PreparedData, privacy: Privacy, seed: int = 0, count: int = 2) -> Estimates:
    run = Run(Streams(seed), Trainer())
    return GradientSemivalue(evaluations=K, learning_rate=0.3).replicates(Problem(data, Auto(), privacy), run, count)


def charges_of(privacy: Any, share: float = 1.0) -> tuple[Any, list[Any]]:
    """An empty account and the planned releases of one row, their noise at a share of its scale."""
    unit = Sensitivity(1.0, privacy.budget.relation)
    if privacy.releases in (Releases.ROW_GRADIENT, Releases.ROW_VECTOR):
        count = 1 if privacy.one_release else K
        noise = privacy.noise_multipliers(count) * share
        return privacy.open_account(unit, 1), [RowRelease(np.zeros(1, dtype=np.int64), sigma) for sigma in noise]
    if privacy.releases is Releases.ROW_NUMBERS:
        noise = privacy.budget.noise_multiplier(1, unit) * share
        return privacy.open_account(unit, 1), [RowRelease(np.zeros(1, dtype=np.int64), noise)]
    law = law_of(privacy.laws[0], privacy.value_budget)
    deviation = float(law.variance(torch.zeros(1, dtype=torch.float64)).sqrt())
    return privacy.open_account(1), privacy.charges(law.cost.epsilon / share, deviation * share, 1, 1)


def test_estimators_are_for_the_releases_that_the_valuator_accounts_for() -> None:
    assert frozenset(ESTIMATORS) - {None} == GradientSemivalue.accounts_for


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("epsilon", [0.5, 8.0])
@pytest.mark.parametrize("name", OF_ROWS)
def test_planned_releases_spend_the_budget_and_one_more_is_refused(
    name: str, epsilon: float, relation: str, mechanism: Callable[..., Any]
) -> None:
    privacy = mechanism(name, epsilon=epsilon, relation=relation)
    account, releases = charges_of(privacy)
    for release in releases:
        account.charge(release)
    value_epsilon = getattr(privacy, "value_budget", privacy.budget).epsilon
    assert account.epsilon() <= value_epsilon
    assert account.epsilon() == pytest.approx(value_epsilon, rel=1e-6)
    path = getattr(privacy, "path", None)
    if path is not None:
        account.charge(PureRelease(path.budget.epsilon, path.budget.delta))
    with pytest.raises(OverspentError) as caught:
        account.charge(releases[-1])
    assert in_one_line(caught.value)


@pytest.mark.parametrize("name", OF_ROWS)
def test_noise_at_half_its_scale_overspends(name: str, mechanism: Callable[..., Any]) -> None:
    """The broken variant: the account charges releases by their own noise, not by the plan."""
    account, releases = charges_of(mechanism(name, epsilon=1.0), share=0.5)
    with pytest.raises(OverspentError):
        list(map(account.charge, releases))


@pytest.mark.parametrize("name", OF_ROWS)
def test_an_estimate_is_charged_as_its_ledger_says(
    name: str, data: PreparedData, mechanism: Callable[..., Any]
) -> None:
    privacy = mechanism(name, epsilon=2.0, table="patients")
    spent = estimates(data, privacy)
    assert spent.epsilon <= 2.0
    assert spent.epsilon == pytest.approx(2.0, rel=1e-6)
    assert spent.values.shape == (2, len(data.train))
    assert (spent.touches > 0).all()
    assert spent.ids.tolist() == data.train.ids.tolist()
    for entry in spent.entries:
        facts = (entry["delta"], entry["relation"], entry["noise"], entry["table"])
        assert facts == (privacy.guaranteed_delta, "zero_out", "seeded", "patients")
    assert spent.entries[-1]["epsilon"] == spent.epsilon


@pytest.mark.parametrize("name", OF_ROWS)
def test_the_ledger_is_charged_before_noise_is_drawn(
    name: str, data: PreparedData, mechanism: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    opened, charge = SeededNoise.open_round, Ledger.charge

    def open_round(self: SeededNoise, number: int) -> Callable[[tuple[int, ...]], torch.Tensor]:
        draw = opened(self, number)
        return lambda shape: (events.append("draw"), draw(shape))[1]

    def charged(self: Ledger[Any], release: Any) -> None:
        events.append("charge")
        charge(self, release)

    monkeypatch.setattr(SeededNoise, "open_round", open_round)
    monkeypatch.setattr(Ledger, "charge", charged)
    estimates(data, mechanism(name), count=1)
    assert "draw" in events
    assert events[0] == "charge"
    if ALL[name].releases is Releases.ROW_GRADIENT:
        assert events == ["charge", "draw"] * (K * len(data.train))


@pytest.mark.parametrize("name", OF_ROWS)
def test_the_test_split_is_not_read(name: str, data: PreparedData, mechanism: Callable[..., Any]) -> None:
    poisoned = replace(data, test=replace(data.test, features=np.full_like(data.test.features, np.nan)))
    assert estimates(data, mechanism(name)).values.tobytes() == estimates(poisoned, mechanism(name)).values.tobytes()


@pytest.mark.parametrize("name", ALL)
def test_parties_have_an_account_where_it_says_so(name: str) -> None:
    privacy = ALL[name]
    if not privacy.private or privacy.for_sources:
        assert (party_sensitivity(privacy, (2, 3), Level.RECORD) is None) == (not privacy.private)
        return
    with pytest.raises(InputError, match="has no account of parties") as caught:
        party_sensitivity(privacy, (2, 3), Level.RECORD)
    assert in_one_line(caught.value)


@pytest.mark.parametrize("name", PRIVATE)
def test_a_total_needs_the_id_of_a_table(name: str, mechanism: Callable[..., Any]) -> None:
    run: Any = SimpleNamespace(
        trainer=Trainer(), task=SimpleNamespace(), valuation=GradientSemivalue(), privacy=ALL[name]
    )
    with pytest.raises(InputError, match=r"privacy\.total=3: .*add privacy\.table=NAME") as caught:
        mechanism(name, total=3.0).check(run)
    assert in_one_line(caught.value)
    mechanism(name, total=3.0, table="patients").check(run)


@pytest.mark.parametrize("name", OF_ROWS)
def test_secure_noise_of_single_precision_is_refused(name: str) -> None:
    task = "task=value"
    given = [f"privacy={name}", "privacy.secure_noise=true", "trainer.precision=32", "dataset=breast_cancer", task]
    with pytest.raises(InputError, match=r"privacy\.secure_noise=true: single precision leaves gaps") as caught:
        compose(given)
    assert in_one_line(caught.value)


@pytest.mark.parametrize("name", [name for name, each in PRIVATE.items() if each.releases is Releases.BATCH_SUM])
def test_a_training_spends_its_budget_and_the_step_too_many_is_refused(name: str) -> None:
    from assay.privacy.accounting.training import NoisySteps

    privacy: Any = option("privacy", name, epsilon=2.0, accountant="rdp", table="patients")
    plan = privacy.plan(rows=80, batch_size=8, steps=30, seed=0)
    plan.ledger.charge(NoisySteps(plan.noise_multiplier, plan.sampler, 30))
    assert 0.998 * 2.0 <= plan.epsilon() <= 2.0
    plan.ledger.note(noise=plan.noise.kind)
    assert (plan.ledger.entries[-1]["noise"], plan.ledger.entries[-1]["table"]) == ("seeded", "patients")
    with pytest.raises(OverspentError):
        plan.ledger.charge(NoisySteps(plan.noise_multiplier / 2, plan.sampler, 30))
