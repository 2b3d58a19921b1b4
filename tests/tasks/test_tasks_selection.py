"""task=selection_curve: curves against retraining by hand, and what the test split may not do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from tests.mechanisms import privacy_of

from assay.config.compose import compose
from assay.config.contenders import Contender
from assay.data import PreparedData
from assay.errors import InputError
from assay.experiment import prepared
from assay.learning.models.cnn import Cnn
from assay.learning.trainer import Trainer
from assay.runs import Outcome, Parts, Streams
from assay.tasks.comparison import Measured
from assay.tasks.selection_curve import SelectionCurve, _area, _separations, part_of
from assay.valuation.gradient.semivalue import GradientSemivalue
from assay.valuation.valuator import Problem, Run

Answer = Callable[..., Outcome]
SMALL = (
    "experiment=private_valuation/selection_curve_breast_cancer",
    "dataset.split={train: 40, valid: 60, test: 80}",
    "task.replicates=4",
    "task.shares=[0.2,0.5]",
    "task.contenders=[none,iid]",
    "valuation.evaluations=6",
)


def test_curves_are_retraining_on_the_ranked_rows(answer: Answer, cells: dict[str, Measured]) -> None:
    data: list[PreparedData] = []
    outcome = answer(*SMALL, change=lambda prepared: data.append(prepared) or prepared)  # type: ignore[func-returns-value]
    train, test = data[0].train, data[0].test
    values = cells["evaluations-6-iid"].values

    def score(rows: np.ndarray) -> float:
        model = LogisticRegression(C=1.0, max_iter=500).fit(train.features[rows], train.target[rows])
        return float(model.score(test.features, test.target))

    lowest_first = values.argsort(axis=1)
    expected = {
        "remove_lowest": np.mean([score(np.sort(order[8:])) for order in lowest_first]),
        "remove_highest": np.mean([score(np.sort(order[:32])) for order in lowest_first]),
        "add_highest": np.mean([score(np.sort(order[32:])) for order in lowest_first]),
        "add_lowest": np.mean([score(np.sort(order[:8])) for order in lowest_first]),
    }
    scores = {way: outcome.metrics[f"iid/{way}/0.2/score"] for way in expected}
    assert scores == pytest.approx(expected)
    assert outcome.metrics["whole/score"] == pytest.approx(score(np.arange(40)))
    assert outcome.metrics["none/separation"] > outcome.metrics["random/separation"]
    assert len(outcome.tables["curve"]) == 3 * 4 * 2
    assert outcome.metrics["model_fits"] == 1 + 3 * 4 * 4 * 2


def test_parts_of_a_ranking() -> None:
    ranking = np.array([3, 1, 4, 0, 2])
    parts = {way: part_of(ranking, way, 0.4).tolist() for way in ("remove_lowest", "remove_highest", "add_highest")}
    assert parts == {"remove_lowest": [4, 0, 2], "remove_highest": [3, 1, 4], "add_highest": [0, 2]}
    assert part_of(ranking, "add_lowest", 0.4).tolist() == [3, 1]


def test_separation_is_the_area_between_the_curves() -> None:
    assert _area([0.2, 0.4], np.array([[1.0, 1.0]])) == pytest.approx((0.1 + 0.2) / 0.4)
    scores = np.array([[[0.9, 0.9], [0.7, 0.5], [0.8, 0.8], [0.5, 0.7]]] * 2)  # one replicate, twice: no spread
    separations = _separations([0.25, 0.5], scores, 0.8)
    expected = {"separation": (0.2 / 2 * 0.25 + 0.3 * 0.25) / 0.5, "removal_gain": 0.075, "separation_added": 0.2}
    assert {name: separations[name] for name in expected} == pytest.approx(expected)
    assert separations["separation_low"] == pytest.approx(separations["separation_high"])


def test_the_test_split_moves_scores_and_no_ranking(answer: Answer, cells: dict[str, Measured]) -> None:
    def flip(data: PreparedData) -> PreparedData:
        return replace(data, test=replace(data.test, target=1 - data.test.target))

    plain = answer(*SMALL, folder="plain")
    before = {name: cell.values.tobytes() for name, cell in cells.items()}
    flipped = answer(*SMALL, folder="flipped", change=flip)
    assert plain.metrics["whole/score"] == pytest.approx(1 - flipped.metrics["whole/score"])
    assert {name: cell.values.tobytes() for name, cell in cells.items()} == before
    assert set(before) == {"evaluations-6-none", "evaluations-6-iid"}


def test_regression_workers_and_resuming(answer: Answer, tmp_path: Path) -> None:
    regression = (
        "experiment=private_valuation/selection_curve",
        "dataset.split={train: 30, valid: 60, test: 40}",
        *SMALL[2:],
    )
    one, two = answer(*regression, folder="one"), answer(*regression, workers=2, folder="two")
    (tmp_path / "one" / "scratch" / "curves-iid-1.npz").unlink()
    again = answer(*regression, folder="one")
    assert dict(one.metrics) == dict(two.metrics) == dict(again.metrics)
    assert one.metrics["whole/score"] < 0  # minus the squared error


def test_a_model_that_no_learner_refits_is_refused(tmp_path: Path) -> None:
    data, contender = prepared(compose(SMALL)), Contender("none", GradientSemivalue(), privacy_of("none"))
    task = SelectionCurve((contender,), (0.5,), 2)
    problem, run = Problem(data, Cnn(), contender.privacy), Run(Streams(0), Trainer(), Parts(tmp_path))
    with pytest.raises(InputError, match="model=cnn: is not among the models that are refitted whole"):
        task.answer(problem, contender.valuation, run)
