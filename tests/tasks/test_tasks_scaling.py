"""Tasks on scaling laws, small, on real data: what they measure, what they refuse, and that workers change nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from laws_cases import SMALL
from sklearn.linear_model import Ridge

from assay.config.compose import compose
from assay.data import PreparedData
from assay.errors import InputError
from assay.figures.style import styles_of
from assay.runs import Outcome, Streams
from assay.tasks.law_quality import density_mode
from assay.valuation.contributions.subsets import SubsetSampler
from assay.valuation.laws.estimators import ESTIMATORS

Answer = Callable[..., Outcome]
THEORY = ("dataset=synthetic_regression", "dataset.synthetic.dimension=3")


def law(*more: str) -> tuple[str, ...]:
    return (*SMALL, "task=scaling_law", "task.points=40", "task.cardinalities=4", "task.samples=60", *more)


def test_one_law_describes_contributions_to_logistic_regression(answer: Answer) -> None:
    outcome = answer(*law())
    summary, points = outcome.tables["summary"], outcome.tables["points"]
    assert summary["cardinality"].tolist() == [20, 36, 66, 120]
    assert len(points) == 40
    assert outcome.metrics["log_linear/r2"] == pytest.approx(summary["log_linear/r2"].mean())
    assert outcome.metrics["log_linear/r2"] > 0.9
    assert outcome.metrics["log_linear/r2/120"] == pytest.approx(summary["log_linear/r2"].iloc[-1])
    # fitted to what it is scored on, a law cannot do worse than on what it was not fitted to
    assert outcome.metrics["weighted_power/r2"] > outcome.metrics["weighted_power/held_out_r2"]
    log_k, log_psi = np.log10(summary["cardinality"]), np.log10(points[[f"psi_{k}" for k in (20, 36, 66, 120)]].abs())
    slopes = -np.polyfit(log_k, log_psi.to_numpy().T, 1)[0]
    assert points["alpha"].to_numpy() == pytest.approx(slopes, abs=1e-4)  # the estimator adds 1e-12 to |psi|
    assert set(outcome.figures) == {"law", "parameters", "crossing", "boundary"}


def test_workers_and_a_resumed_run_change_no_figure(answer: Answer) -> None:
    alone = answer(*law())
    both = answer(*law(), workers=2, folder="both")
    again = answer(*law())
    for other in (both, again):
        assert other.metrics == alone.metrics
        pd.testing.assert_frame_equal(other.tables["points"], alone.tables["points"])


@pytest.mark.parametrize("model", ["svm", "mlp_adam", "xgboost"])
def test_a_model_without_a_closed_form_is_refitted(model: str, answer: Answer) -> None:
    small = ("task.points=2", "task.samples=4", "task.cardinalities=3", "valuation.largest=39", f"model={model}")
    outcome = answer(*law(*small))
    assert outcome.metrics["model_fits"] >= 3 * 4 * 3
    assert np.isfinite(outcome.metrics["log_linear/r2"])


def test_regression_has_no_boundary(answer: Answer) -> None:
    split = "dataset.split={train: 300, valid: 71, test: 71}"
    outcome = answer("dataset=diabetes", split, *law()[2:])
    assert "boundary" not in outcome.figures
    assert outcome.metrics["log_linear/r2"] > 0


def test_value_at_depends_on_k(answer: Answer) -> None:
    small = (*SMALL, "task=value_at", "valuation.evaluations=40", "dataset.corruption.labels=0.1")
    few, many = answer(*small, "task.k=20"), answer(*small, "task.k=119", folder="many")
    assert few.metrics["label_noise/auc"] > 0.7
    assert few.metrics["value/mean"] > many.metrics["value/mean"] > 0
    assert few.metrics["spearman/with_smallest"] == 1
    assert few.metrics["extrapolated"] == 0
    table = many.tables["values"]
    assert {"id", "value", "std_error", "ci_low", "ci_high", "c", "alpha", "sigma", "beta", "rank"} <= set(table)
    assert table.sort_values("value", ascending=False)["rank"].tolist() == list(range(1, 331))
    assert many.files["values.csv"] is table


@pytest.mark.parametrize("task", ["value_at", "value"])
def test_rows_that_are_all_corrupted_are_valued_without_a_score_of_finding_them(task: str, answer: Answer) -> None:
    small = ("valuation=scaling_law", "valuation.smallest=20", "valuation.largest=40", "valuation.evaluations=4")
    outcome = answer(*SMALL[:3], f"task={task}", *small, "dataset.corruption.labels=1")
    assert "label_noise/auc" not in outcome.metrics
    assert len(outcome.tables["values"]) == 330


def test_estimators_are_scored_against_subsets_of_their_own(answer: Answer) -> None:
    few = ("task.points=60", "task.bank=80", "task.reference=60", "task.cardinalities=4", "task.samples=[5,20]")
    names = "task.estimators=[monte_carlo,likelihood,empirical_bayes]"
    outcome = answer(*SMALL, "task=law_estimators", *few, names)
    summary = outcome.tables["summary"]
    assert len(summary) == 2 * 2 * 3
    r2 = {key: outcome.metrics[f"uniform/{key}/shapley/r2"] for key in ("monte_carlo/5", "empirical_bayes/5")}
    assert r2["empirical_bayes/5"] > r2["monte_carlo/5"]
    gain = outcome.metrics["uniform/5/gain_over_monte_carlo"]
    assert gain == pytest.approx(r2["empirical_bayes/5"] - r2["monte_carlo/5"])


def test_the_error_of_the_whole_is_foretold(answer: Answer) -> None:
    outcome = answer(*SMALL, "task=learning_curve", "task.samples=30", "task.target=0.1")
    summary, metrics = outcome.tables["summary"], outcome.metrics
    assert summary["error"].is_monotonic_decreasing or (summary["error"].iloc[0] > summary["error"].iloc[-1])
    assert (np.abs(summary["error"] - summary["fitted"]) < 5 * summary["std_error"]).all()
    assert metrics["extrapolation/rows"] == 330
    assert metrics["extrapolation/predicted"] == pytest.approx(metrics["extrapolation/measured"], abs=0.02)
    rows, law = metrics["rows_for_target"], (metrics["floor"], metrics["c"], metrics["alpha"])
    assert law[0] + law[1] * rows ** -law[2] == pytest.approx(0.1)


def test_an_error_below_the_floor_is_reached_by_no_number_of_rows(answer: Answer) -> None:
    outcome = answer(*SMALL, "task=learning_curve", "task.samples=10", "task.target=1e-9")
    assert "rows_for_target" not in outcome.metrics


def test_every_estimator_has_a_look_of_its_own_in_the_figure() -> None:
    looks = styles_of(ESTIMATORS).values()
    assert len({look["color"] for look in looks}) == len({look["marker"] for look in looks}) == len(looks)


def test_least_squares_follows_theory(answer: Answer) -> None:
    data = (
        "dataset=synthetic_regression",
        "dataset.synthetic.dimension=3",
        "dataset.split={train: 400, valid: 100, test: 0}",
    )
    few = ("task.points=60", "task.samples=200", "task.cardinalities=4", "model=linear", "model.intercept=false")
    outcome = answer(*data, "task=law_theory", *few)
    assert outcome.metrics["alpha/median"] == pytest.approx(2, abs=0.15)
    assert outcome.metrics["ratio/median"] == pytest.approx(1, abs=0.1)
    assert outcome.metrics["sign_agreement"] > 0.9


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("task=value_at", "valuation=semivalue"), r"valuation=semivalue: task=value_at fits scaling laws"),
        (("task=value_at", "privacy=iid"), r"privacy=iid: valuation=scaling_law accounts for no release"),
        (("task=value_at", "model=svm", "valuation.level=cheap"), r"valuation.level=cheap: is a step in closed form"),
        (("task=value_at", "valuation.utility=accuracy", "valuation.level=cheap"), r"accuracy is a step"),
        (("task=value_at", "valuation.smallest=9", "valuation.largest=8"), r"valuation.smallest=9: must be at most"),
        (("task=law_theory",), r"has no population"),
        (("task=value_at", "valuation.utility=population_risk"), r"population_risk: is the excess squared error"),
        (("task=law_theory", *THEORY, "model=xgboost"), r"model=xgboost: task=law_theory is about least squares"),
        (("task=law_theory", *THEORY, "dataset.synthetic.noise=0"), r"dataset.synthetic.noise=0: theory measures"),
        (("task=law_theory", *THEORY, "valuation.smallest=4"), r"valuation.smallest=4: 3 features have no mean"),
        (("task=value_at", "valuation.estimator=monte_carlo"), r"valuation.estimator=monte_carlo: is no law"),
        (("task=point_addition", "task.estimators=[monte_carlo]"), r"task.estimators=monte_carlo: is no law"),
        (
            ("task=value", "valuation=scaling_law", "valuation.evaluations=3"),
            r"empirical_bayes needs 4 or more",
        ),
        (("task=law_estimators", "task.samples=[2,10]"), r"task.samples=2: likelihood needs 4 or more"),
        (("task=value_at", "valuation.estimator=log_linear"), r"log_linear"),
        (("task=law_estimators", "task.samples=[10,5000]", "task.bank=100"), r"task.samples=5000"),
        (("task=point_addition", "model=svm"), r"task.joint=true: scores points again and again"),
        (("task=point_addition", "task.add=50", "task.candidates=40"), r"task.add=50: leaves no choice"),
        (("task=point_addition", "dataset.split.train=2000", "task.pools=[1500]"), r"dataset.split.train=2000"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(overrides: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        compose(["dataset=magic", *overrides])


def test_a_bag_of_words_has_a_cheap_step() -> None:
    config = compose(["dataset=newsgroups", "task=value_at", "model=bag_of_words", "valuation.level=cheap"]).config
    assert config["valuation"]["level"] == "cheap"


def test_synthetic_regression_can_be_judged_over_its_population(answer: Answer) -> None:
    captured: list[PreparedData] = []
    data = ("dataset=synthetic_regression", "dataset.synthetic.dimension=3", "model=linear", "model.intercept=false")
    few = ("task=scaling_law", "task.points=5", "task.samples=4", "task.cardinalities=3", "dataset.split.test=0")
    risk = "valuation.utility=population_risk"
    outcome = answer(*data, *few, risk, change=lambda given: captured.append(given) or given)  # type: ignore[func-returns-value]
    train, population = captured[0].train, captured[0].population
    assert population is not None
    order = Streams(0).generator("points").permutation(len(train))
    points, pool = np.sort(order[:5]), np.sort(order[5:])
    expected = np.zeros((2, 2))
    for place, half in enumerate(("first-half", "second-half")):
        sampler = SubsetSampler(len(pool), None, Streams(0), half)
        for repeat in range(2):
            rows = pool[sampler.subset(3 * repeat, 100)]  # sizes 100, 316 and 1000 take turns
            risks = []
            for more in ([], [points[0]]):
                used = np.append(rows, more).astype(int)
                fitted = Ridge(alpha=1e-3, fit_intercept=False).fit(train.features[used], train.target[used]).coef_
                risks.append(float(((fitted - population.coefficients) ** 2).sum()))
            expected[place, repeat] = risks[0] - risks[1]
    assert outcome.tables["points"]["psi_100"].iloc[0] == pytest.approx(expected.mean(), rel=1e-6)


def test_more_points_than_rows_are_refused(answer: Answer) -> None:
    with pytest.raises(InputError, match=r"task.points=300: leaves 30 of 330 train rows"):
        answer(*law("task.points=300"))


def test_too_few_rows_or_sizes_are_refused(answer: Answer) -> None:
    with pytest.raises(InputError, match=r"valuation.smallest=20: with valuation.largest=20 there are 2 sizes"):
        answer(*law("valuation.largest=20"))
    with pytest.raises(InputError, match=r"there are 3 sizes, and a law needs 4"):
        answer(*SMALL, "task=learning_curve", "valuation.largest=21")


def test_a_class_of_a_few_rows_is_valued_like_the_others(answer: Answer) -> None:
    small = ("valuation.smallest=10", "valuation.largest=20", "valuation.evaluations=4", "valuation.folds=3")

    def thinned(data: PreparedData) -> PreparedData:
        train, rare = data.train, np.flatnonzero(data.train.target == 2)
        remaining = np.setdiff1d(np.arange(len(train)), rare[1:])
        parts = {name: getattr(train, name)[remaining] for name in ("features", "target", "ids", "clean")}
        return replace(data, train=replace(train, **parts))

    values = answer("dataset=wine", "task=value_at", *small, change=thinned).tables["values"]
    assert np.isfinite(values["value"]).all()


def test_the_mode_of_exponents_is_where_most_are() -> None:
    rng = np.random.default_rng(0)
    sample = np.concatenate([rng.normal(1.2, 0.05, 300), rng.uniform(0, 3, 100)])
    assert density_mode(sample) == pytest.approx(1.2, abs=0.05)
    assert density_mode(np.array([2.0, 2.0, 2.0])) == 2.0
