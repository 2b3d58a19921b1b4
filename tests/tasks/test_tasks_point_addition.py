"""task=point_addition: gains of picks by value, on real data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from laws_cases import SMALL
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from assay.data import Arrays, PreparedData
from assay.data.provenance import Provenance
from assay.errors import InputError
from assay.learning.learners import Learner
from assay.learning.models import Shape
from assay.learning.models.auto import Auto
from assay.runs import Outcome, Streams
from assay.selection.by_value import top
from assay.tasks.addition_gains import Adding

Answer = Callable[..., Outcome]


def addition(*more: str) -> tuple[str, ...]:
    return (
        *(*SMALL, "task=point_addition", "task.pools=[30,120]", "task.add=20", "task.candidates=150"),
        *("task.repeats=12", "valuation.evaluations=60", "dataset.corruption.labels=0.2", *more),
    )


def test_gains_are_what_picks_add_to_random_sets(answer: Answer) -> None:
    captured: list[PreparedData] = []
    outcome = answer(*addition(), change=lambda data: captured.append(data) or data)  # type: ignore[func-returns-value]
    picks, summary = outcome.tables["picks"], outcome.tables["summary"]
    assert picks.groupby("k").size().to_dict() == {30: 20, 120: 20}
    train, test = captured[0].train, captured[0].test
    place = {int(each): row for row, each in enumerate(train.ids)}
    picked = [place[each] for each in picks.loc[picks["k"] == 30, "id"]]  # the joint ones
    pool = np.setdiff1d(np.arange(330), sorted(_candidates(captured[0])))
    rng = np.random.default_rng(0)

    def score(rows: np.ndarray) -> float:
        model = LogisticRegression(C=1.0, max_iter=500).fit(train.features[rows], train.target[rows])
        return 100 * float(model.score(test.features, test.target))

    gains = []
    for _ in range(40):
        own = rng.choice(pool, 30, replace=False)
        gains.append(score(np.concatenate([own, picked])) - score(own))
    reported = summary[(summary["pool"] == 30) & (summary["score"] == "joint_30")].iloc[0]
    spread = outcome.metrics["pool_30/joint_30/accuracy/std"]
    error = float(np.sqrt(np.var(gains, ddof=1) / 40 + spread**2 / 12))
    assert abs(float(reported["accuracy"]) - float(np.mean(gains))) < 4 * error  # false alarm once in 15,000
    assert outcome.metrics["pool_30/matched_over_random/accuracy"] > 0
    ahead = outcome.metrics["pool_30/joint_over_random/negative_loss"]
    assert ahead > 3 * outcome.metrics["pool_30/joint_over_random/negative_loss/std_error"]
    assert set(summary["score"]) == {
        *("matched_30", "matched_120", "likelihood_30", "likelihood_120", "shapley", "joint_30", "joint_120", "random"),
    }


def _candidates(data: PreparedData) -> list[int]:
    return [int(row) for row in Streams(0).generator("points").permutation(len(data.train))[:150]]


def test_without_repeats_rows_are_picked_and_not_judged(answer: Answer) -> None:
    outcome = answer(*addition("task.repeats=0", "dataset.split.test=0"))
    assert set(outcome.tables) == {"picks"}
    assert not any(name.startswith("pool_") for name in outcome.metrics)


def test_the_test_split_chooses_no_pick(answer: Answer) -> None:
    def flipped(data: PreparedData) -> PreparedData:
        return replace(data, test=replace(data.test, target=1 - data.test.target))

    plain = answer(*addition())
    changed = answer(*addition(), change=flipped, folder="changed")
    pd.testing.assert_frame_equal(plain.tables["picks"], changed.tables["picks"])
    assert plain.metrics["pool_30/random/accuracy"] != changed.metrics["pool_30/random/accuracy"]


def test_a_balanced_pick_has_classes_in_proportion() -> None:
    score, labels = np.arange(10.0), np.array([0] * 4 + [1] * 6)
    assert sorted(top(score, 5, labels)) == [2, 3, 7, 8, 9]
    assert sorted(top(score, 5, None)) == [5, 6, 7, 8, 9]


def test_gains_do_not_depend_on_the_number_of_threads() -> None:
    """Ten classes: a fit to these rows differs in the 15th digit between one thread and two."""
    rng = np.random.default_rng(0)
    features = rng.standard_normal((5200, 32))
    target = (features @ rng.standard_normal((32, 10)) + rng.gumbel(size=(5200, 10))).argmax(axis=1)
    rows = Arrays(features, target, np.arange(5200), np.ones(5200, dtype=bool))
    data = PreparedData(rows, rows, rows, "classification", tuple("abcdefghij"), (), "table", Provenance("x", "x", "x"))
    learner = Learner(Auto(), Shape("classification", 10, 0))
    points, pool = np.arange(200), np.arange(200, 5200)
    adding = Adding(learner, data, points, pool, {"shapley": np.arange(20)}, None, Streams(0), 4000)
    gains = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            gains.append(adding(0)["gains"])
    assert gains[0].tolist() == gains[1].tolist()


def test_too_few_candidates_are_refused(answer: Answer) -> None:
    with pytest.raises(InputError, match=r"task.candidates=500: leaves 12 of 512 train rows"):
        answer(*addition("task.candidates=500", "dataset.split={train: 0.9, valid: 0.05, test: 0.05}"))
