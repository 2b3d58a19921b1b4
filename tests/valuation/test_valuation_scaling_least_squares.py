"""Contributions to least squares: against refits by the learner, and against theory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.data import PreparedData
from assay.data.population import Population
from assay.errors import InputError
from assay.learning.learners import Learner
from assay.learning.models import Shape
from assay.learning.models.affine import Linear
from assay.learning.models.auto import Auto
from assay.learning.models.trees import XGBoost
from assay.runs.streams import Streams
from assay.valuation.contributions.least_squares import LeastSquaresSolver, squared_error_utility
from assay.valuation.contributions.refits import RefitSolver
from assay.valuation.contributions.setting import Labelled, ScalingUtility, Setting, setting_of
from assay.valuation.laws.theory import (
    chi_square_rule,
    exact_contributions,
    expected_contribution,
    fresh_contributions,
    law_coefficient,
)

Portion = Callable[..., PreparedData]


def drawn(rows: int, population: Population, seed: int) -> Labelled:
    return Labelled(*population.draw(rows, np.random.default_rng(seed)))


def line(dimension: int, noise: float = 0.5) -> Population:
    return Population(np.random.default_rng(9).standard_normal(dimension), noise, "regression")


def synthetic(dimension: int, utility: ScalingUtility, *, intercept: bool = True) -> Setting:
    population = line(dimension)
    parts = [drawn(rows, population, seed) for seed, rows in enumerate((6, 200, 60))]
    spec = Linear(intercept)
    return Setting(*parts, "regression", 0, spec, utility, coefficients=population.coefficients)


@pytest.mark.parametrize("utility", ["negative_loss", "population_risk"])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("rows", [1, 3, 7, 8, 9, 120])
def test_contributions_are_those_of_refits_below_and_above_the_number_of_features(
    utility: ScalingUtility, intercept: bool, rows: int
) -> None:
    setting = synthetic(7, utility, intercept=intercept)
    subsets = [np.random.default_rng(seed).choice(200, rows, replace=False) for seed in range(2)]
    quick, slow = LeastSquaresSolver(setting).shared(subsets), RefitSolver(setting).shared(subsets)
    np.testing.assert_allclose(quick.delta, slow.delta, rtol=1e-8, atol=1e-10 * np.abs(slow.delta).max())
    np.testing.assert_allclose(quick.utility, slow.utility, rtol=1e-10)
    assert (quick.fits, slow.fits, quick.fallbacks) == (2, 2 * 7, 0)


def test_contributions_of_real_rows_are_those_of_refits(portion: Portion) -> None:
    data = portion("diabetes", train=100)
    setting = setting_of(data, np.arange(5), np.arange(5, 100), Auto(), "negative_loss")
    subsets = [np.arange(30), np.arange(40, 95)]
    quick, slow = LeastSquaresSolver(setting, "cheap").shared(subsets), RefitSolver(setting).shared(subsets)
    np.testing.assert_allclose(quick.delta, slow.delta, rtol=1e-10, atol=1e-10 * np.abs(slow.delta).max())


def test_fresh_takes_one_point_a_subset() -> None:
    setting = synthetic(3, "negative_loss")
    solver, subsets = LeastSquaresSolver(setting), [np.arange(size) for size in (20, 30, 40)]
    every, some = solver.shared(subsets).delta, solver.fresh(subsets, np.array([4, 0, 4])).delta
    np.testing.assert_allclose(some, [[every[4, 0], every[0, 1], every[4, 2]]], rtol=1e-12)


@given(st.integers(1, 12), st.integers(1, 8), st.integers(0, 10**6))
def test_a_squared_error_is_a_quadratic_form_whatever_the_rank(rows: int, columns: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    design, target, at = (generator.standard_normal(shape) for shape in ((rows, columns), rows, columns))
    utility = squared_error_utility(design, target).value(at)
    assert utility == pytest.approx(-np.mean((target - design @ at) ** 2), rel=1e-8)


def test_population_risk_needs_a_population_and_a_line() -> None:
    setting = synthetic(3, "population_risk")
    plain = Setting(setting.points, setting.pool, setting.valid, "regression", 0, Linear(), "population_risk")
    for build in (LeastSquaresSolver, lambda given: RefitSolver(given).shared([np.arange(9)])):
        with pytest.raises(
            InputError, match=r"valuation\.utility=population_risk: needs data whose population is known"
        ):
            build(plain)
    trees = Setting(setting.points, setting.pool, setting.valid, "regression", 0, XGBoost(), "population_risk")
    with pytest.raises(InputError, match="is the excess squared error of a line, and model=xgboost is none"):
        RefitSolver(trees).shared([np.arange(9)])


def test_a_subset_of_no_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="a row at the least"):
        LeastSquaresSolver(synthetic(3, "negative_loss")).shared([np.arange(0)])


def test_the_expected_contribution_of_a_design_is_the_mean_over_targets() -> None:
    """4,000 drawn targets, 3 points: |z| < 4.5 for each, a false alarm in 50,000 runs."""
    population, generator = line(3, noise=0.7), np.random.default_rng(1)
    design, points = generator.standard_normal((12, 3)), np.array([[1.0, 0, 0], [2, -1, 1], [0.1, 0.1, 0]])
    errors = np.array([0.0, 2.0, -0.5])
    truth = points @ population.coefficients + errors
    samples = np.empty((4000, 3))
    for draw in samples:
        target = design @ population.coefficients + 0.7 * generator.standard_normal(12)
        for place in range(3):
            grown = np.vstack([design, points[place]]), np.append(target, truth[place])
            with_point, without = (np.linalg.lstsq(*each)[0] for each in (grown, (design, target)))
            gap, old = with_point - population.coefficients, without - population.coefficients
            draw[place] = old @ old - gap @ gap
    expected = [expected_contribution(points[i], errors[i], design, np.eye(3), 0.49) for i in range(3)]
    scores = (samples.mean(axis=0) - expected) / (samples.std(axis=0, ddof=1) / np.sqrt(4000))
    assert np.abs(scores).max() < 4.5
    assert np.abs(expected).min() > 5 * (samples.std(axis=0) / np.sqrt(4000)).min()  # else the line above says little


@pytest.mark.parametrize("exact_over_noise", [False, True])
def test_fresh_subsets_scatter_about_the_exact_means(exact_over_noise: bool) -> None:
    """40 points x 2 cardinalities share subsets: |z| < 5 for all, a false alarm in 20,000 runs."""
    population = line(5)
    points, sizes = drawn(40, population, 3), np.array([30, 200])
    exact = exact_contributions(points, population, sizes)
    means = fresh_contributions(points, population, sizes, 2000, Streams(0), exact_over_noise=exact_over_noise)
    assert (np.abs(means.mean - exact) < 5 * means.std_error).all()
    assert (means.samples, means.fits) == (2000, 4000)
    np.testing.assert_allclose(means.std_error, np.sqrt(means.variance / 2000))


def test_fresh_subsets_have_the_law_of_drawn_rows() -> None:
    """3,000 subsets of 15 rows drawn and fitted by the learner's solver: means and variances agree, |z| < 4.5 for 8 figures."""
    population = line(4)
    pool, points = drawn(15 * 3000, population, 5), drawn(4, population, 6)
    spec = Linear(intercept=False)
    setting = Setting(
        points, pool, pool, "regression", 0, spec, "population_risk", coefficients=population.coefficients
    )
    rows = LeastSquaresSolver(setting).shared(list(np.arange(15 * 3000).reshape(3000, 15))).delta
    means = fresh_contributions(points, population, np.array([15]), 3000, Streams(0))
    error = np.hypot(rows.std(axis=1, ddof=1) / np.sqrt(3000), means.std_error[:, 0])
    assert (np.abs(rows.mean(axis=1) - means.mean[:, 0]) < 4.5 * error).all()
    squares = (rows - rows.mean(axis=1, keepdims=True)) ** 2
    assert (np.abs(rows.var(axis=1) - means.variance[:, 0]) < 4.5 * np.sqrt(2 / 3000) * squares.std(axis=1)).all()


def test_integrating_the_noise_out_leaves_a_small_part_of_the_error() -> None:
    population = line(5)
    points, sizes = drawn(20, population, 3), np.array([500])
    plain, exact = (
        fresh_contributions(points, population, sizes, 200, Streams(0), exact_over_noise=choice)
        for choice in (False, True)
    )
    assert np.median(exact.std_error / plain.std_error) < 0.1


def test_contributions_reach_the_limit_of_the_law() -> None:
    """d = 5: psi_1000 k^2 / c has median 1.01 over points, and the noisy points are those that harm."""
    population = line(5, noise=0.1)
    points, sizes = drawn(300, population, 4), np.array([1000])
    limit = law_coefficient(points, population)
    sampled = fresh_contributions(points, population, sizes, 300, Streams(0), exact_over_noise=True).mean
    for means in (sampled, exact_contributions(points, population, sizes)):
        assert np.median(means[:, 0] * 1e6 / limit) == pytest.approx(1.012, abs=0.003)
    error = np.abs(points.target - points.features @ population.coefficients)
    np.testing.assert_array_equal(limit < 0, error > np.sqrt(2) * 0.1)


def test_the_chi_square_rule_is_exact_for_polynomials_and_steady_elsewhere() -> None:
    for degrees in (3, 6, 95, 996):
        nodes, weights = chi_square_rule(degrees)
        moments = [weights @ nodes**power for power in range(4)]
        exact = np.cumprod([1.0, degrees, degrees + 2, degrees + 4])
        np.testing.assert_allclose(moments, exact, rtol=1e-10)
    inverse = [weights @ (1 / nodes) for nodes, weights in (chi_square_rule(95, count) for count in (20, 64))]
    np.testing.assert_allclose(inverse, 1 / 93, rtol=1e-10)  # E 1/chi2(n) = 1/(n - 2)


def test_the_same_streams_give_the_same_bytes_and_others_do_not() -> None:
    population = line(3)
    points, sizes = drawn(4, population, 1), np.array([10, 20])
    first, again, other = (fresh_contributions(points, population, sizes, 5, Streams(seed)) for seed in (0, 0, 1))
    assert first.mean.tobytes() == again.mean.tobytes() != other.mean.tobytes()


def test_too_few_rows_have_no_mean() -> None:
    population = line(3)
    with pytest.raises(InputError, match=r"task\.cardinalities=4: 3 features have no mean contribution below 5 rows"):
        exact_contributions(drawn(2, population, 1), population, np.array([4, 50]))
    with pytest.raises(InputError, match=r"task\.samples=1: a standard error needs 2 or more"):
        fresh_contributions(drawn(2, population, 1), population, np.array([50]), 1, Streams(0))


def test_the_learner_and_the_solver_share_their_penalty() -> None:
    """One row in a corner: the penalty alone decides, so a wrong one would show at once."""
    rows = Labelled(np.array([[2.0, 0.0]]), np.array([3.0]))
    setting = Setting(rows, rows, rows, "regression", 0, Linear(intercept=False))
    error = 3 - 12 / 4.001
    learnt = Learner(setting.model, Shape("regression", 0, 0)).fit(rows.features, rows.target).predict(rows.features)
    assert 3 - learnt[0] == pytest.approx(error)
    assert LeastSquaresSolver(setting).shared([np.array([0])]).utility[0] == pytest.approx(-(error**2))
