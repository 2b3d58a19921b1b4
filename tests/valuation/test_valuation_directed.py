"""The directed release: what it computes, what it may read, and what it releases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.mechanisms import privacy_of

from assay.config import compose
from assay.data import PreparedData
from assay.errors import InputError
from assay.learning.models import Model, Shape
from assay.learning.models.affine import Linear, Logistic
from assay.learning.models.auto import Auto
from assay.learning.models.mlp import Mlp
from assay.learning.models.replicated import path_utility
from assay.learning.trainer import Trainer
from assay.privacy.budget import Budget
from assay.privacy.ledger import OverspentError
from assay.privacy.noise.sources import SeededNoise
from assay.privacy.rows.pure_account import PureAccount, PureRelease
from assay.privacy.scalar_laws.piecewise import PiecewiseLaw
from assay.runs.streams import Streams
from assay.statistics import spearman
from assay.valuation.estimates import Estimates
from assay.valuation.gradient.directed.design import choose_design, mislabelled
from assay.valuation.gradient.directed.estimate import DirectedRelease
from assay.valuation.gradient.directed.paths import (
    positions_of,
)
from assay.valuation.gradient.directed.row_effects import mean_contributions
from assay.valuation.gradient.estimates import rows_of
from assay.valuation.gradient.semivalue import GradientSemivalue
from assay.valuation.semivalues import semivalue_weights
from assay.valuation.valuator import Problem, Run

Portion = Callable[..., PreparedData]
RUN = Run(Streams(0), Trainer())
MECHANISMS = ["directed", "directed_gaussian", "directed_private_path"]
MODELS: dict[str, Model] = {"auto": Auto(), "linear": Linear(), "logistic": Logistic(), "mlp": Mlp(hidden=(6,))}
RATE = {"diabetes": 0.05, "breast_cancer": 0.5, "digits": 0.3}


def value(data: PreparedData, name: str, *, model: str = "auto", seed: int = 0, **choices: Any) -> Estimates:
    privacy = privacy_of(name, **{"paths": 4, **choices.pop("privacy", {})})
    count = choices.pop("replicates", 2)
    valuator = GradientSemivalue(**{"evaluations": 4, "learning_rate": 0.1, **choices})
    return valuator.replicates(Problem(data, MODELS[model], privacy), Run(Streams(seed), Trainer()), count)


def moved(data: PreparedData, row: int) -> PreparedData:
    """Another value in one train row."""
    features = data.train.features.copy()
    features[row] += 3.0
    return replace(data, train=replace(data.train, features=features))


def test_first_order_contributions_are_inner_products_of_gradients(portion: Portion) -> None:
    data = portion("digits", components=6)
    model = Mlp(hidden=(40,)).replicated(Shape(data.kind, 10, 6))
    train, valid = rows_of(data.train, torch.float64), rows_of(data.valid, torch.float64)
    theta = model.initial("random", torch.Generator().manual_seed(0))
    contributions = mean_contributions(model, theta[None], train, valid, learning_rate=0.1, utility="negative_loss")
    slope = torch.func.grad(lambda t: path_utility(model, t[None], valid.features, valid.target, "negative_loss")[0])
    rows = model.row_gradients(theta.expand(len(train), -1), train.features, train.target)
    assert model.parameter_count > 256
    torch.testing.assert_close(contributions, -0.1 * rows @ slope(theta), rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("utility", ["negative_loss", "accuracy"])
def test_small_models_take_the_difference_of_utilities_itself(portion: Portion, utility: str) -> None:
    data = portion("breast_cancer", components=4)
    model = Logistic().replicated(Shape(data.kind, 2, 4))
    train, valid = rows_of(data.train, torch.float64), rows_of(data.valid, torch.float64)
    thetas = torch.randn(3, model.parameter_count, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    contributions = mean_contributions(model, thetas, train, valid, learning_rate=0.5, utility=utility)
    for row in range(3):
        slow = 0.0
        for theta in thetas:
            gradient = model.row_gradients(theta[None], train.features[row : row + 1], train.target[row : row + 1])
            pair = torch.cat([theta[None] - 0.5 * gradient, theta[None]])
            reached = path_utility(model, pair, valid.features, valid.target, utility)
            slow += float(reached[0] - reached[1]) / 3
        assert float(contributions[row]) == pytest.approx(slow, abs=1e-14)


@pytest.mark.parametrize(
    ("semivalue", "alpha", "beta"), [("shapley", 1, 1), ("banzhaf", 1, 1), ("beta", 16, 1), ("beta", 4, 1)]
)
def test_positions_are_an_equal_weight_rule_for_the_semivalue(semivalue: str, alpha: float, beta: float) -> None:
    """The plain mean over positions of any slow function of the size is close to its weighted mean."""
    weights = semivalue_weights(semivalue, 200, alpha, beta)
    places = positions_of(weights)
    for function in (np.ones(200), np.arange(200) / 200, np.exp(-np.arange(200) / 60)):
        assert function[places].mean() == pytest.approx((weights * function).mean(), abs=0.02)
    assert len(positions_of(np.ones(7))) == 7


def test_values_agree_with_the_non_private_ones(portion: Portion) -> None:
    data = portion("diabetes", train=60, valid=120, labels=0.3, components=5, norm=1.0)
    choices: dict[str, Any] = {"learning_rate": 0.05, "evaluations": 40, "replicates": 8}
    reference = value(data, "none", model="linear", **choices).values.mean(axis=0)
    for name, floor in (("directed", 0.9), ("directed_private_path", 0.85), ("directed_gaussian", 0.5)):
        estimates = value(data, name, model="linear", privacy={"epsilon": 8.0, "paths": 24}, **choices)
        assert spearman(estimates.values, reference).mean() > floor


@pytest.mark.parametrize("name", MECHANISMS)
@pytest.mark.parametrize("relation", ["zero_out", "replace_one"])
def test_the_budget_is_spent_and_not_passed(portion: Portion, name: str, relation: str) -> None:
    further = {"path_from": 0.0} if name == "directed_private_path" else {}
    estimates = value(portion("diabetes"), name, privacy={"epsilon": 2.0, "relation": relation, **further})
    assert estimates.epsilon == pytest.approx(2.0, rel=1e-6)
    assert estimates.epsilon <= 2.0
    assert (estimates.touches == (2 if name == "directed_private_path" else 1)).all()
    assert [entry["what"] for entry in estimates.entries] == ["mean gradient path", "values"][-len(estimates.entries) :]


def test_a_path_that_would_be_noise_is_not_walked(portion: Portion) -> None:
    """Below `path_from` the release is that of public trajectories, with all of epsilon and no delta."""
    low, plain = (value(portion("diabetes"), name, privacy={"epsilon": 2.0}) for name in (MECHANISMS[2], MECHANISMS[0]))
    assert [entry["what"] for entry in low.entries] == ["values"]
    assert np.array_equal(low.values, plain.values)
    assert privacy_of("directed_private_path", epsilon=2.0).guaranteed_delta == 0
    assert privacy_of("directed_private_path", epsilon=4.0).guaranteed_delta == 1e-5


@pytest.mark.parametrize("name", ["directed", "directed_gaussian"])
def test_a_row_moves_its_own_release_alone(portion: Portion, name: str) -> None:
    """Given the public trajectories, what the account calls disjoint data is disjoint: bit for bit."""
    data = portion("breast_cancer")
    before, after = value(data, name), value(moved(data, 3), name)
    others = np.arange(len(data.train)) != 3
    assert np.array_equal(before.values[:, others], after.values[:, others])
    assert not np.array_equal(before.values[:, 3], after.values[:, 3])
    assert before.entries == after.entries  # law and clip too come from public rows


def test_law_and_clip_do_not_read_private_rows_on_a_private_path(portion: Portion) -> None:
    data = portion("breast_cancer")
    facts = [value(each, "directed_private_path").entries for each in (data, moved(data, 3))]
    assert facts[0] == facts[1]


def test_the_released_number_is_bounded_whatever_the_row(portion: Portion) -> None:
    """The clip: a row far outside moves the noiseless number by the clip at most; without it, by far more."""
    data = portion("diabetes")
    wild = replace(data, train=replace(data.train, features=data.train.features * 1e4))
    release = DirectedRelease(
        GradientSemivalue(learning_rate=0.1),
        Problem(wild, Auto(), privacy_of("directed")),
        RUN,
        "x",
    )
    exact = release.exact_values(release.train, release.along.thetas(24))
    released = release.run()
    law, clip = released.design.law, released.design.clip
    assert isinstance(law, PiecewiseLaw)
    assert float(exact.abs().max()) > 100 * clip
    assert np.abs(released.estimates.values).max() <= clip * (law.reach + 1e-3)


def test_a_row_that_is_no_number_is_released_as_nothing(portion: Portion) -> None:
    data = portion("diabetes")
    features = data.train.features.copy()
    features[0] = np.inf
    broken = replace(data, train=replace(data.train, features=features))
    assert np.isfinite(value(broken, "directed").values).all()
    assert np.isfinite(value(broken, "directed_private_path").values).all()


def test_noise_is_charged_before_it_is_drawn(portion: Portion, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    opened, charge = SeededNoise.open_round, PureAccount.charge

    def open_round(self: SeededNoise, number: int) -> Any:
        events.append(f"draw {number}")
        return opened(self, number)

    def charged(self: PureAccount, release: PureRelease) -> None:
        events.append("charge")
        charge(self, release)

    monkeypatch.setattr(SeededNoise, "open_round", open_round)
    monkeypatch.setattr(PureAccount, "charge", charged)
    value(portion("diabetes"), "directed_private_path")
    assert events == ["charge", "draw 2", "charge", "draw 1"]


def test_a_second_release_is_refused(portion: Portion) -> None:
    problem = Problem(portion("diabetes"), Auto(), privacy_of("directed", paths=2))
    release = DirectedRelease(GradientSemivalue(), problem, RUN, "x")
    release.run()
    with pytest.raises(OverspentError):
        release.ledger.charge(PureRelease(0.1))


def test_standard_errors_are_those_of_repeated_releases(portion: Portion) -> None:
    data = portion("diabetes")
    for name in ("directed", "directed_gaussian"):
        estimates = value(data, name, replicates=400, privacy={"epsilon": 4.0})
        spread = estimates.values.std(axis=0, ddof=1)
        ratio = np.median((estimates.std_errors**2).mean(axis=0) ** 0.5 / spread)
        assert 0.95 < ratio < 1.6  # the largest over inputs, since the input is not known


def test_one_estimate_with_facts_of_its_release(portion: Portion) -> None:
    data = portion("breast_cancer")
    valuator = GradientSemivalue(learning_rate=0.5)
    for relation, low, high in (("zero_out", 4.0, 8.0), ("replace_one", 4.0, 4.0)):
        privacy = privacy_of("directed", epsilon=4.0, relation=relation, paths=3)
        valuation = valuator.valuate(Problem(data, Auto(), privacy), Run(Streams(0), Trainer()))
        assert valuation.epsilon == 4.0
        assert low - 1e-6 <= valuation.facts["release/epsilon_of_a_changed_record"] <= high + 1e-6
        assert valuation.facts["release/clip"] > 0
        table = valuation.values.table()
        assert (table["pi_low"] < table["pi_high"]).all()
        assert not valuation.signs  # along public paths nothing is said of the sign of a value
        bare = replace(privacy, stand_ins=0)
        table = valuator.valuate(Problem(data, Auto(), bare), Run(Streams(0), Trainer())).values.table()
        assert (table["noise_low"] < table["value"]).all()


def test_the_user_may_fix_law_and_clip(portion: Portion) -> None:
    estimates = value(portion("diabetes"), "directed", privacy={"law": "laplace", "clip": 0.01})
    assert estimates.entries[-1]["law"] == "laplace"
    assert estimates.entries[-1]["clip"] == 0.01
    for name, law in (("directed", "cauchy"), ("directed_private_path", "gaussian")):
        with pytest.raises(InputError, match=rf"privacy\.law={law}: must be one of auto, laplace"):
            compose([f"privacy={name}", f"privacy.law={law}"])


def test_a_law_that_spends_delta_is_refused_by_a_pure_account(portion: Portion) -> None:
    """The broken variant: Gaussian noise, charged as if it were pure."""
    with pytest.raises(OverspentError):
        value(portion("diabetes"), "directed", privacy={"law": "gaussian"})


def test_a_design_ranks_public_rows_as_well_as_it_says(portion: Portion) -> None:
    values = torch.from_numpy(np.random.default_rng(0).standard_normal(300))
    design = choose_design(values, Budget(2.0, 1e-5), generator=np.random.default_rng(1))
    x = (values / design.clip).clamp(-1, 1).expand(200, -1)
    generator = torch.Generator().manual_seed(2)
    fresh = design.law.release(x, *(torch.randn(x.shape, generator=generator, dtype=torch.float64) for _ in range(2)))
    assert float(spearman(fresh.numpy(), values.numpy()).mean()) == pytest.approx(design.noise_spearman, abs=0.03)
    constant = choose_design(torch.zeros(9, dtype=torch.float64), Budget(2.0, 1e-5), generator=np.random.default_rng(1))
    assert constant.clip == 1.0


def test_mislabelled_rows_have_wrong_targets(portion: Portion) -> None:
    rows = rows_of(portion("digits").valid, torch.float64)
    wrong = mislabelled(rows, 10, np.random.default_rng(0))
    assert (wrong.target != rows.target).all()
    assert wrong.target.min() >= 0
    assert wrong.target.max() <= 9
    numbers = rows_of(portion("diabetes").valid, torch.float64)
    assert sorted(mislabelled(numbers, 0, np.random.default_rng(0)).target.tolist()) == sorted(numbers.target.tolist())


@pytest.mark.parametrize("name", MECHANISMS)
def test_an_mlp_is_valued_and_the_same_seed_gives_the_same_bytes(portion: Portion, name: str) -> None:
    data = portion("digits", train=20, components=8)
    first, again, other = (value(data, name, model="mlp", seed=seed) for seed in (0, 0, 1))
    assert first.values.tobytes() == again.values.tobytes()
    assert not np.array_equal(first.values, other.values)
