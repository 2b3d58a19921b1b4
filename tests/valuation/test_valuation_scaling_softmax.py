"""Contributions to logistic regression of several classes in closed form, against whole fits on real data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from assay.errors import InputError
from assay.learning.models.affine import Logistic
from assay.learning.solvers.multinomial import SoftmaxObjective, contrasts, multinomial_fit, softmax
from assay.valuation.contributions import class_steps, softmax_logistic
from assay.valuation.contributions.class_steps import proximal_pulls
from assay.valuation.contributions.logits import SMOOTH, Chances, probability_changes
from assay.valuation.contributions.setting import Labelled, ScalingUtility, Setting
from assay.valuation.contributions.softmax_logistic import SoftmaxLogisticSolver

Floats = NDArray[np.float64]
SMOOTH_UTILITIES: tuple[ScalingUtility, ...] = ("negative_loss", "softmax_of_probabilities")
CLASSES, POINTS, POOL = 4, 24, 300


def digits(utility: ScalingUtility = "negative_loss", intercept: bool = True) -> Setting:
    features, target = load_digits(n_class=CLASSES, return_X_y=True)
    features = PCA(12, svd_solver="full").fit_transform(features / 8.0)
    order = np.random.default_rng(0).permutation(len(target))
    parts = [Labelled(features[rows], target[rows]) for rows in np.split(order, [POINTS, POINTS + POOL])]
    model = Logistic(intercept=intercept)
    return Setting(*parts, kind="classification", classes=CLASSES, model=model, utility=utility)


def subset(size: int, seed: int = 0) -> NDArray[np.int64]:
    """A random one that has all classes."""
    generator, target = np.random.default_rng((seed, size)), digits().pool.target
    drawn = (generator.choice(POOL, size, replace=False) for _ in range(1000))
    return next(rows for rows in drawn if len(np.unique(target[rows])) == CLASSES)


def utility_of(probabilities: Floats, setting: Setting) -> float:
    right = probabilities[np.arange(len(probabilities)), setting.valid.target]
    if setting.utility == "accuracy":
        return float((probabilities.argmax(axis=1) == setting.valid.target).mean())
    if setting.utility == "negative_loss":
        return float(np.log(np.where(right == 0, 1e-6, right)).mean())
    return float((right - np.log(np.exp(probabilities).sum(axis=1))).mean())


def by_scikit_learn(setting: Setting, rows: NDArray[np.int64]) -> tuple[Floats, float]:
    def utility(features: Floats, target: NDArray[np.int64]) -> float:
        probabilities = np.zeros((len(setting.valid), CLASSES))
        present = np.unique(target)
        if len(present) == 1:
            probabilities[:, present] = 1.0
        else:
            model = LogisticRegression(fit_intercept=setting.model.intercept, tol=1e-10, max_iter=20_000)
            probabilities[:, present] = model.fit(features, target).predict_proba(setting.valid.features)
        return utility_of(probabilities, setting)

    coalition, points = setting.pool.take(rows), setting.points
    base = utility(coalition.features, coalition.target)
    pairs = zip(points.features, points.target, strict=True)
    joined = [utility(np.vstack([coalition.features, z]), np.append(coalition.target, y)) for z, y in pairs]
    return np.array(joined) - base, base


def by_newton(solver: SoftmaxLogisticSolver, rows: NDArray[np.int64]) -> Floats:
    """Whole fits to rounding, which scikit-learn's cannot be asked for."""
    loss, basis, blank = SMOOTH[solver.setting.utility].loss, solver.basis, np.zeros((CLASSES - 1, len(solver.penalty)))

    def utility(features: Floats, target: NDArray[np.int64]) -> float:
        weights = multinomial_fit(SoftmaxObjective(features, target, solver.penalty, basis), blank, decrement=1e-11)
        return -float(loss(solver.valid @ weights.T @ basis.T, solver.labels[2]).mean())

    inputs, target = solver.pool[rows], solver.labels[1][rows]
    pairs = zip(solver.points, solver.labels[0], strict=True)
    joined = [utility(np.vstack([inputs, z]), np.append(target, y)) for z, y in pairs]
    return np.array(joined) - utility(inputs, target)


@pytest.mark.parametrize("utility", SMOOTH_UTILITIES)
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("size", [8, 40, 250])
def test_exact_contributions_are_those_of_full_fits(utility: ScalingUtility, intercept: bool, size: int) -> None:
    """scikit-learn stops some 1e-8 of the utility short; our whole fits, which agree with it to that, do not."""
    setting = digits(utility, intercept)
    solver, rows = SoftmaxLogisticSolver(setting), subset(size)
    contributions = solver.shared([rows])
    wanted, base = by_scikit_learn(setting, rows)
    assert contributions.utility[0] == pytest.approx(base, abs=1e-6)
    np.testing.assert_allclose(contributions.delta[:, 0], wanted, atol=1e-6)
    tight = by_newton(solver, rows)
    assert np.sqrt(np.mean((contributions.delta[:, 0] - tight) ** 2)) < 3e-5 * np.sqrt(np.mean(tight**2))
    assert contributions.fits == 1 + contributions.fallbacks


def test_accuracy_is_counted_exactly() -> None:
    setting = digits("accuracy")
    wanted, _ = by_scikit_learn(setting, subset(12))
    assert np.abs(wanted).max() > 0
    np.testing.assert_allclose(SoftmaxLogisticSolver(setting).shared([subset(12)]).delta[:, 0], wanted, atol=1e-12)


@pytest.mark.parametrize("utility", SMOOTH_UTILITIES)
def test_cheap_contributions_are_the_formula(utility: ScalingUtility) -> None:
    """A proximal step by plain minimisation over all weights, and the expansion by numerical derivatives."""
    from scipy.optimize import minimize

    solver, rows = SoftmaxLogisticSolver(digits(utility), "cheap"), subset(60)
    problem = SoftmaxObjective(solver.pool[rows], solver.labels[1][rows], solver.penalty, solver.basis)
    weights = multinomial_fit(problem, np.zeros((CLASSES - 1, 13)), decrement=1e-11)
    hessian = problem.hessian(softmax(problem.logits(weights)))
    contributions = solver.shared([rows]).delta[:, 0]
    loss, scale, h = SMOOTH[utility].loss, np.sqrt(np.mean(contributions**2)), 1e-3
    for place in range(6):
        z, label = solver.points[place], solver.labels[0][place]
        block = np.kron(solver.basis, z[None])  # [C, E D]: what the weights make of the row's logits

        def proximal(s: Floats, block: Floats = block, label: int = label, z: Floats = z) -> tuple[float, Floats]:
            chance = softmax((solver.basis @ weights @ z + block @ s)[None])[0]
            value = 0.5 * s @ hessian @ s - np.log(chance[label])
            return value, hessian @ s + block.T @ (chance - np.eye(CLASSES)[label])

        start, preconditioner = np.zeros(hessian.shape[0]), np.linalg.inv(np.linalg.cholesky(hessian)).T

        def turned(y: Floats, step=proximal, root: Floats = preconditioner) -> tuple[float, Floats]:  # type: ignore[no-untyped-def]
            value, slope = step(root @ y)
            return value, root.T @ slope

        best = preconditioner @ minimize(turned, start, jac=True, options={"gtol": 1e-10}).x
        step = best.reshape(CLASSES - 1, -1)
        at = [loss(solver.valid @ (weights + t * step).T @ solver.basis.T, solver.labels[2]).mean() for t in (-h, 0, h)]
        wanted = -(at[2] - at[0]) / (2 * h) - 0.5 * (at[2] - 2 * at[1] + at[0]) / h**2
        assert abs(contributions[place] - wanted) < 1e-3 * scale


@pytest.mark.parametrize("level", ["cheap", "exact"])
def test_fresh_contributions_equal_shared_ones(level: str) -> None:
    solver = SoftmaxLogisticSolver(digits(), level)  # type: ignore[arg-type]
    drawn, points = [subset(30, seed) for seed in range(4)], np.array([3, 1, 4, 1])
    shared, fresh = solver.shared(drawn), solver.fresh(drawn, points)
    wanted = shared.delta[points, np.arange(4)]
    np.testing.assert_allclose(fresh.delta[0], wanted, rtol=3e-5, atol=3e-5 * np.abs(wanted).mean())
    assert fresh.fits == 4 + fresh.fallbacks


@settings(max_examples=6, derandomize=True, deadline=None)
@given(size=st.integers(12, 90), seed=st.integers(0, 10_000))
def test_neither_the_order_of_rows_nor_that_of_features_matters(size: int, seed: int) -> None:
    setting, generator = digits(), np.random.default_rng(seed)
    rows, order = subset(size, seed), generator.permutation(12)
    parts = {name: getattr(setting, name) for name in ("points", "pool", "valid")}
    turned = replace(setting, **{name: Labelled(part.features[:, order], part.target) for name, part in parts.items()})
    one = SoftmaxLogisticSolver(setting).shared([rows]).delta
    other = SoftmaxLogisticSolver(turned).shared([generator.permutation(rows)]).delta
    assert np.sqrt(np.mean((one - other) ** 2)) <= 2e-5 * np.sqrt(np.mean(one**2))


@pytest.mark.parametrize("utility", [*SMOOTH_UTILITIES, "accuracy"])
@pytest.mark.parametrize("classes", [1, 2, 3])
def test_subsets_that_lack_classes_are_fitted_whole_and_counted(utility: ScalingUtility, classes: int) -> None:
    setting = digits(utility)
    rows = np.flatnonzero(setting.pool.target < classes)[: 4 * classes]
    wanted, base = by_scikit_learn(setting, rows)
    contributions = SoftmaxLogisticSolver(setting).shared([rows])
    assert contributions.fallbacks == POINTS
    assert contributions.utility[0] == pytest.approx(base, abs=1e-5)
    # scikit-learn is loose where a class has few rows
    np.testing.assert_allclose(contributions.delta[:, 0], wanted, atol=2e-4 if utility != "accuracy" else 1e-12)


def test_points_that_do_not_settle_are_refitted_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    setting, hard, original = digits(), subset(8), class_steps.corrected
    wanted = SoftmaxLogisticSolver(setting).shared([hard])
    monkeypatch.setattr(softmax_logistic, "corrected", lambda *given: original(*given, most=1))
    refitted = SoftmaxLogisticSolver(setting).shared([hard])
    assert refitted.fallbacks > wanted.fallbacks
    scale = np.sqrt(np.mean(wanted.delta**2))
    assert np.sqrt(np.mean((refitted.delta - wanted.delta) ** 2)) < 2e-5 * scale
    careless = lambda *given: (original(*given, most=1)[0], np.zeros(len(given[1].labels), dtype=bool))  # noqa: E731
    monkeypatch.setattr(softmax_logistic, "corrected", careless)
    wrong = SoftmaxLogisticSolver(setting).shared([hard])
    assert np.sqrt(np.mean((wrong.delta - wanted.delta) ** 2)) > 1e-4 * scale


@settings(max_examples=60, derandomize=True, deadline=None)
@given(seed=st.integers(0, 10_000), size=st.floats(0.01, 40.0))
def test_the_proximal_pull_is_a_fixed_point_for_any_leverage(seed: int, size: float) -> None:
    generator, basis = np.random.default_rng(seed), contrasts(CLASSES)
    logits, labels = size * generator.normal(size=(5, CLASSES)), generator.integers(CLASSES, size=5)
    root = generator.normal(size=(5, CLASSES - 1, CLASSES - 1)) * np.sqrt(size)
    leverage = root @ root.transpose(0, 2, 1)
    pull = proximal_pulls(logits, labels, leverage, basis)
    moved = (leverage @ pull[:, :, None])[:, :, 0] @ basis.T
    np.testing.assert_allclose(pull, (np.eye(CLASSES)[labels] - softmax(logits + moved)) @ basis, atol=1e-6)


@pytest.mark.parametrize("name", SMOOTH_UTILITIES)
def test_losses_their_derivatives_and_changes(name: str) -> None:
    generator, h = np.random.default_rng(0), 1e-5
    logits, labels = 3 * generator.normal(size=(7, CLASSES)), generator.integers(CLASSES, size=7)
    utility = SMOOTH[name]
    slope, bend = utility.derivatives(logits, labels)
    for place, unit in enumerate(np.eye(CLASSES)):
        rise = (utility.loss(logits + h * unit, labels) - utility.loss(logits - h * unit, labels)) / (2 * h)
        turn = (
            utility.derivatives(logits + h * unit, labels)[0] - utility.derivatives(logits - h * unit, labels)[0]
        ) / h
        np.testing.assert_allclose(slope[:, place], rise, atol=1e-8)
        np.testing.assert_allclose(bend[:, :, place], turn / 2, atol=1e-8)
    for factor in (1e-3, 1.0, 20.0):
        change = (factor * generator.normal(size=(6, CLASSES, 7))).astype(np.float32)
        chances = Chances.of(logits, labels, np.float32)
        moved = logits + change.transpose(0, 2, 1).astype(np.float64)
        wanted = np.stack([utility.loss(each, labels) for each in moved]) - utility.loss(logits, labels)
        np.testing.assert_allclose(utility.change(chances, change.copy()), wanted, atol=1e-6 * factor, rtol=1e-5)
        probability = softmax(moved) - softmax(logits)
        got = probability_changes(chances, change.copy()).transpose(0, 2, 1)
        np.testing.assert_allclose(got, probability, atol=1e-6 * min(factor, 1.0), rtol=1e-5)


def test_what_cannot_be_solved_is_refused() -> None:
    with pytest.raises(InputError, match=r"valuation.utility=accuracy: has no quadratic expansion"):
        SoftmaxLogisticSolver(digits("accuracy"), "cheap")
    with pytest.raises(InputError, match="needs a target of three classes"):
        SoftmaxLogisticSolver(replace(digits(), classes=2))
