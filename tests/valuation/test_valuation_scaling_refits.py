"""Contributions to models that are fitted again: by a learner, and side by side; and which solver is chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_softmax

from assay.data import PreparedData
from assay.errors import InputError
from assay.learning.learners import Learner
from assay.learning.models import Model, Shape
from assay.learning.models.affine import Logistic
from assay.learning.models.auto import Auto
from assay.learning.models.cnn import Cnn
from assay.learning.models.mlp import Mlp, MlpAdam
from assay.learning.models.svm import Svm
from assay.learning.models.trees import XGBoost
from assay.learning.solvers import stacked_networks as adam_networks
from assay.valuation.contributions.binary_logistic import BinaryLogisticSolver
from assay.valuation.contributions.choice import has_cheap_step, solver_for
from assay.valuation.contributions.least_squares import LeastSquaresSolver
from assay.valuation.contributions.refits import RefitSolver
from assay.valuation.contributions.scores import scores
from assay.valuation.contributions.setting import Labelled, ScalingUtility, Setting, setting_of
from assay.valuation.contributions.shared_svm import SharedSvmSolver
from assay.valuation.contributions.softmax_logistic import SoftmaxLogisticSolver
from assay.valuation.contributions.solver import Level
from assay.valuation.contributions.stacked_mlp import SharedMlpSolver
from assay.valuation.utilities import predictor_utility

Portion = Callable[..., PreparedData]
ADAM = MlpAdam(hidden=(6,), activation="relu", iterations=60)
SVM = Svm()


def setting(
    portion: Portion, name: str, model: Model, utility: ScalingUtility = "negative_loss", points: int = 4
) -> Setting:
    data = portion(name, train=60, valid=50)
    return setting_of(data, np.arange(points), np.arange(points, 60), model, utility)


@pytest.mark.parametrize("model", [SVM, ADAM, XGBoost(trees=3), Logistic()])
def test_contributions_are_differences_of_the_valuators_utilities(portion: Portion, model: Model) -> None:
    data = portion("breast_cancer", train=60, valid=50)
    contributions = RefitSolver(setting(portion, "breast_cancer", model)).shared([np.arange(0, 30), np.arange(20, 56)])
    learner, train = Learner(model, Shape.of(data)), data.train

    def worth(rows: list[int]) -> float:
        return predictor_utility(learner.fit(train.features[rows], train.target[rows]), data, "negative_loss")

    subsets = [list(range(4, 34)), list(range(24, 60))]
    expected = [[worth([*rows, point]) - worth(rows) for rows in subsets] for point in range(4)]
    np.testing.assert_allclose(contributions.delta, expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(contributions.utility, [worth(rows) for rows in subsets], rtol=1e-12)
    assert (contributions.fits, contributions.fallbacks) == (10, 0)


@pytest.mark.parametrize(("model", "level"), [(SVM, "refit"), (ADAM, "exact")])
def test_one_or_two_workers_give_the_same_bytes(portion: Portion, model: Model, level: Level) -> None:
    given, subsets = setting(portion, "breast_cancer", model), [np.arange(size) for size in (20, 25, 30)]
    one, two = (solver_for(given, level, workers).shared(subsets) for workers in (1, 2))
    assert one.delta.tobytes() == two.delta.tobytes()
    assert one.utility.tobytes() == two.utility.tobytes()


@pytest.mark.parametrize("utility", ["negative_loss", "softmax_of_probabilities", "accuracy"])
@pytest.mark.parametrize("name", ["breast_cancer", "wine", "diabetes"])
def test_networks_trained_side_by_side_are_those_of_scikit_learn(
    portion: Portion, name: str, utility: ScalingUtility
) -> None:
    if name == "diabetes" and utility != "negative_loss":
        return
    given = setting(portion, name, ADAM, utility)
    subsets = [np.random.default_rng(seed).choice(56, 35, replace=False) for seed in range(2)]
    quick, slow = SharedMlpSolver(given).shared(subsets), RefitSolver(given).shared(subsets)
    np.testing.assert_allclose(quick.delta, slow.delta, rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(quick.utility, slow.utility, rtol=1e-10)
    assert (quick.fits, quick.fallbacks) == (slow.fits, 0)


def test_networks_stop_when_those_of_scikit_learn_stop(portion: Portion) -> None:
    """Forty rows of two far classes are learnt in fewer than 2,000 steps, each network in its own number."""
    data = portion("wine", train=60, valid=50)
    labels = (data.train.target > 0).astype(np.int64)
    rows = adam_networks.CodedRows(data.train.features[:40], labels[:40, None].astype(float))
    alone = adam_networks.CodedRows(data.train.features[40:44], labels[40:44, None].astype(float))
    start = adam_networks.drawn_networks(rows.features.shape[1], 6, 1, seed=0)
    networks = adam_networks.trained(start, rows, alone, np.array([0.0, 1, 1, 1]), "classification", 2000)
    learner, steps = Learner(replace(ADAM, iterations=2000), Shape("classification", 2, 0)), []
    for place in range(4):
        members = [*range(40), *([40 + place] if place else [])]
        fitted = learner.fit(data.train.features[members], labels[members]).fitted.estimator  # type: ignore[attr-defined]
        np.testing.assert_allclose(networks.hidden[place, :-1], fitted.coefs_[0], rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(networks.last[place, -1], fitted.intercepts_[1], rtol=1e-6)
        steps.append(fitted.n_iter_)
    assert max(steps) < 2000
    assert len(set(steps)) > 1


def test_networks_do_not_depend_on_how_they_are_blocked(portion: Portion, monkeypatch: pytest.MonkeyPatch) -> None:
    given = setting(portion, "breast_cancer", ADAM, points=7)
    whole = SharedMlpSolver(given).shared([np.arange(30)]).delta
    monkeypatch.setattr(adam_networks, "_BLOCK", 400)
    np.testing.assert_allclose(SharedMlpSolver(given).shared([np.arange(30)]).delta, whole, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("name", ["breast_cancer", "wine"])
def test_machines_of_shared_distances_are_those_of_scikit_learn(portion: Portion, name: str) -> None:
    given = setting(portion, name, SVM)
    subsets = [np.random.default_rng(seed).choice(56, 40, replace=False) for seed in range(2)]
    quick, slow = SharedSvmSolver(given).shared(subsets), RefitSolver(given).shared(subsets)
    np.testing.assert_allclose(quick.delta, slow.delta, rtol=1e-8, atol=1e-9 * slow.delta.std())
    np.testing.assert_allclose(quick.utility, slow.utility, rtol=1e-10)
    assert (quick.fits, quick.fallbacks) == (slow.fits, 0)


def test_rows_that_do_not_differ_have_a_kernel_too(portion: Portion) -> None:
    given = setting(portion, "breast_cancer", SVM)
    flat = replace(
        given,
        points=Labelled(np.ones((2, 3)), np.array([0, 1])),
        pool=Labelled(np.ones((8, 3)), np.arange(8) % 2),
        valid=Labelled(np.ones((4, 3)), np.array([0, 1, 1, 0])),
    )
    quick, slow = SharedSvmSolver(flat).shared([np.arange(8)]), RefitSolver(flat).shared([np.arange(8)])
    np.testing.assert_allclose(quick.delta, slow.delta, rtol=1e-9)


@pytest.mark.parametrize(("model", "solver"), [(ADAM, SharedMlpSolver), (SVM, SharedSvmSolver)])
def test_a_subset_without_a_class_is_refitted(
    portion: Portion, model: Model, solver: Callable[[Setting], RefitSolver]
) -> None:
    given = setting(portion, "wine", model)
    some = np.flatnonzero(given.pool.target != 1)[:20]
    quick, slow = solver(given).shared([some]), RefitSolver(given).shared([some])
    assert quick.delta.tobytes() == slow.delta.tobytes()
    assert quick.fallbacks == 4


@pytest.mark.parametrize("model", [ADAM, SVM])
def test_fresh_takes_one_point_a_subset(portion: Portion, model: Model) -> None:
    solver, subsets = solver_for(setting(portion, "wine", model), "exact"), [np.arange(20), np.arange(10, 40)]
    every, some = solver.shared(subsets).delta, solver.fresh(subsets, np.array([3, 1]))
    np.testing.assert_allclose(some.delta, [[every[3, 0], every[1, 1]]], rtol=1e-7)
    assert some.fits == 4


def test_the_second_softmax_is_one_of_probabilities() -> None:
    generator = np.random.default_rng(0)
    predicted, target = generator.dirichlet(np.ones(3), (2, 8)), generator.integers(0, 3, 8)
    expected = log_softmax(predicted, axis=-1)[:, np.arange(8), target].mean(axis=1)
    utilities = scores(predicted, target, "classification", "softmax_of_probabilities")
    np.testing.assert_allclose(utilities, expected, rtol=1e-12)
    sure = np.array([[1.0, 0.0]])
    assert scores(sure, np.array([0]), "classification", "softmax_of_probabilities") == pytest.approx(-0.3132616875)
    assert scores(sure, np.array([1]), "classification", "negative_loss") == pytest.approx(np.log(1e-6))
    with pytest.raises(ValueError, match="no function of predictions"):
        scores(sure, np.array([1]), "classification", "population_risk")


CHOICES = [
    ("diabetes", Auto(), "exact", LeastSquaresSolver, False),
    ("diabetes", Auto(), "cheap", LeastSquaresSolver, False),
    ("diabetes", Auto(), "refit", RefitSolver, False),
    ("diabetes", ADAM, "exact", SharedMlpSolver, False),
    ("breast_cancer", Auto(), "cheap", BinaryLogisticSolver, True),
    ("breast_cancer", Auto(), "refit", RefitSolver, True),
    ("wine", Auto(), "cheap", SoftmaxLogisticSolver, True),
    ("breast_cancer", SVM, "exact", SharedSvmSolver, False),
    ("breast_cancer", SVM, "refit", RefitSolver, False),
    ("wine", ADAM, "exact", SharedMlpSolver, False),
    ("wine", ADAM, "refit", RefitSolver, False),
    ("wine", replace(ADAM, activation="tanh"), "exact", RefitSolver, False),
    ("wine", replace(ADAM, hidden=(4, 4)), "exact", RefitSolver, False),
]


@pytest.mark.parametrize(("name", "model", "level", "solver", "cheap"), CHOICES)
def test_the_quickest_solver_is_chosen(
    portion: Portion, name: str, model: Model, level: Level, solver: type, cheap: bool
) -> None:
    given = setting(portion, name, model)
    assert type(solver_for(given, level)) is solver
    assert has_cheap_step(given) is cheap


@pytest.mark.parametrize(
    ("name", "model", "level", "line"),
    [
        ("wine", SVM, "cheap", "valuation.level=cheap: is a closed-form step, and model=svm has none"),
        ("wine", ADAM, "cheap", "(use valuation.level=exact or refit)"),
        ("diabetes", SVM, "exact", "model=svm: fits classes and this is a regression"),
        ("digits", Cnn(), "refit", "model=cnn: is trained by gradients"),
    ],
)
def test_what_has_no_solver_is_one_line(portion: Portion, name: str, model: Model, level: Level, line: str) -> None:
    with pytest.raises(InputError) as refused:
        solver_for(setting(portion, name, model), level)
    assert line in str(refused.value)


def test_a_population_risk_without_a_population_is_refused_at_once(portion: Portion) -> None:
    with pytest.raises(InputError, match=r"valuation\.utility=population_risk"):
        solver_for(setting(portion, "breast_cancer", SVM, "population_risk"), "exact")


def test_other_models_are_not_shared(portion: Portion) -> None:
    with pytest.raises(ValueError, match="only model=svm"):
        SharedSvmSolver(setting(portion, "wine", Mlp()))
    with pytest.raises(ValueError, match="only model=mlp_adam"):
        SharedMlpSolver(setting(portion, "wine", Mlp()))
