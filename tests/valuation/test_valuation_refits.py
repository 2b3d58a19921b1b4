"""Semivalues by refitting, the learners behind them, and the value table."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.mechanisms import privacy_of

from assay.data import PreparedData
from assay.errors import InputError
from assay.learning.learners import Learner
from assay.learning.models import Model, Shape
from assay.learning.models.auto import Auto
from assay.learning.models.mlp import Mlp, MlpAdam
from assay.learning.models.svm import Svm
from assay.learning.models.trees import XGBoost
from assay.learning.trainer import Trainer
from assay.runs.parts import Parts
from assay.runs.streams import Streams
from assay.valuation.games import exact_semivalue
from assay.valuation.library.semivalue import Semivalue
from assay.valuation.utilities import predictor_utility
from assay.valuation.valuator import Problem, Run, Valuation
from assay.valuation.values import Values

Portion = Callable[..., PreparedData]
NONE = privacy_of("none")


AUTO, TREES, SVM = Auto(), XGBoost(trees=5), Svm()
MLP, ADAM = Mlp(hidden=(8,)), MlpAdam(hidden=(8,), activation="tanh")


def valuate(data: PreparedData, model: Model = AUTO, **choices: object) -> Valuation:
    parts = Parts(choices.pop("scratch", None), choices.pop("workers", 1))
    valuator = Semivalue(**{"evaluations": 3, **choices})  # type: ignore[arg-type]
    return valuator.valuate(Problem(data, model, NONE), Run(Streams(0), Trainer(), parts=parts))  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "model"), [("diabetes", AUTO), ("breast_cancer", AUTO), ("diabetes", TREES)])
def test_values_of_a_permutation_sum_to_the_gain_of_the_whole(portion: Portion, name: str, model: Model) -> None:
    data = portion(name, train=12, valid=40)
    valuation = valuate(data, model)
    learner = Learner(model, Shape.of(data))
    nothing = learner.fit(data.train.features[:0], data.train.target[:0])
    assert valuation.model_fits == 3 * 13
    assert valuation.epsilon == math.inf
    orders_matter = model == TREES or name == "breast_cancer"  # solvers see rows in another order: not bit-equal
    everything = learner.fit(data.train.features, data.train.target)
    gain = predictor_utility(everything, data, "negative_loss") - predictor_utility(nothing, data, "negative_loss")
    assert valuation.values.value.sum() == pytest.approx(gain, abs=0.05 if orders_matter else 1e-8)


def test_many_permutations_approach_exact_enumeration(portion: Portion) -> None:
    """Five rows: 2^5 fits are the truth; 60 permutations must lie within 4 standard errors."""
    data = portion("diabetes", train=5, valid=40, components=2)
    learner = Learner(Auto(), Shape.of(data))

    def game(rows: list[int] | tuple[int, ...]) -> float:
        chosen = np.array(sorted(rows), dtype=int)
        return predictor_utility(
            learner.fit(data.train.features[chosen], data.train.target[chosen]), data, "negative_loss"
        )

    exact = exact_semivalue(game, 5, np.ones(5))
    values = valuate(data, evaluations=60).values
    assert (np.abs(values.value - exact) < 4 * values.std_error).all()
    assert np.abs(exact).max() > 2 * values.std_error.max()  # else the line above would say nothing


def test_one_or_two_workers_give_the_same_bytes(portion: Portion, tmp_path: Path) -> None:
    data = portion("diabetes", train=8)
    one, two = valuate(data), valuate(data, workers=2, scratch=tmp_path)
    assert one.values.value.tobytes() == two.values.value.tobytes()
    assert len(list(tmp_path.glob("walks-*.npz"))) == 3


def test_finished_permutations_are_not_walked_again(
    portion: Portion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = portion("diabetes", train=8)
    first = valuate(data, scratch=tmp_path)
    sorted(tmp_path.glob("walks-*.npz"))[1].unlink()
    fits: list[int] = []
    fit = Learner.fit

    def counted(self: Learner, *rows: object, **choices: object) -> object:
        fits.append(1)
        return fit(self, *rows, **choices)  # type: ignore[arg-type]

    monkeypatch.setattr(Learner, "fit", counted)
    again = valuate(data, scratch=tmp_path)
    assert len(fits) == 9
    assert again.values.value.tobytes() == first.values.value.tobytes()


def test_privacy_is_refused(portion: Portion) -> None:
    with pytest.raises(InputError, match=r"privacy=iid: a refit has no bounded sensitivity"):
        Semivalue().valuate(Problem(portion("diabetes"), Auto(), privacy_of("iid")), Run(Streams(0), Trainer()))


@pytest.mark.parametrize(
    ("name", "model"),
    [(name, model) for name in ("diabetes", "wine") for model in (AUTO, MLP, ADAM, XGBoost())] + [("wine", SVM)],
)
def test_learners_learn(portion: Portion, name: str, model: Model) -> None:
    data = portion(name, train=90, valid=60)
    learner = Learner(model, Shape.of(data))
    fitted = learner.fit(data.train.features, data.train.target)
    nothing = learner.fit(data.train.features[:0], data.train.target[:0])
    assert predictor_utility(fitted, data, "negative_loss") > predictor_utility(nothing, data, "negative_loss")
    if data.kind == "classification":
        assert predictor_utility(fitted, data, "accuracy") > 0.85
        assert fitted.predict(data.valid.features).sum(axis=1) == pytest.approx(np.ones(60), abs=1e-5)


@pytest.mark.parametrize("model", [AUTO, XGBoost(), SVM, MlpAdam(hidden=(16,), activation="tanh")])
def test_classes_that_are_absent_have_no_probability(portion: Portion, model: Model) -> None:
    data = portion("wine", train=60)
    learner = Learner(model, Shape.of(data))
    some = data.train.target != 1
    predicted = learner.fit(data.train.features[some], data.train.target[some]).predict(data.valid.features)
    assert predicted.shape == (60, 3)
    assert not predicted[:, 1].any()
    alone = learner.fit(data.train.features[~some], data.train.target[~some]).predict(data.valid.features)
    assert (alone == [0.0, 1.0, 0.0]).all()


@pytest.mark.parametrize("model", [SVM, MlpAdam(hidden=(32,), iterations=20)])
def test_models_fitted_whole_repeat_and_are_silent(
    portion: Portion, recwarn: pytest.WarningsRecorder, model: Model
) -> None:
    data = portion("breast_cancer", train=40)
    learner = Learner(model, Shape.of(data))
    first, again = (learner.fit(data.train.features, data.train.target).predict(data.valid.features) for _ in range(2))
    assert first.tobytes() == again.tobytes()
    assert not recwarn.list


def test_a_support_vector_machine_joins_coalitions_of_any_size(portion: Portion) -> None:
    valuation = valuate(portion("breast_cancer", train=6), SVM, evaluations=1)
    assert np.isfinite(valuation.values.value).all()


def test_accuracy_of_a_regression_is_refused(portion: Portion) -> None:
    with pytest.raises(InputError, match=r"valuation\.utility=accuracy"):
        valuate(portion("diabetes", train=5), utility="accuracy")


def test_the_value_table_is_in_order_of_id() -> None:
    table = Values(np.array([7, 3]), np.array([0.5, -1.0]), np.array([0.1, np.nan]), np.array([4, 4])).table()
    assert list(table.columns) == ["id", "value", "std_error", "ci_low", "ci_high", "evaluations"]
    assert table["id"].tolist() == [3, 7]
    assert table.loc[1, "ci_high"] == pytest.approx(0.5 + 0.196, abs=1e-4)
    assert np.isnan(table.loc[0, "ci_low"])
