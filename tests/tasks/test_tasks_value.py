"""task=value answers with a value table for any valuator and model."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from assay.data import Arrays, PreparedData
from assay.runs import Outcome

Answer = Callable[..., Outcome]
SMALL = ("dataset.split={train: 25, valid: 60, test: 20}", "valuation.evaluations=5")


@pytest.mark.parametrize(
    "choices",
    [
        ("dataset=diabetes",),
        ("dataset=breast_cancer", "valuation.utility=accuracy"),
        ("dataset=wine", "model=mlp", "model.hidden=[4]"),
        ("dataset=digits", "dataset.preprocess.components=6", "valuation.semivalue=banzhaf"),
        ("dataset=wine", "valuation=semivalue", "model=xgboost", "model.trees=3"),
    ],
    ids=lambda choices: " ".join(choices),
)
def test_every_row_of_train_has_a_value_with_an_error(answer: Answer, choices: tuple[str, ...]) -> None:
    outcome = answer(*SMALL, *choices)
    table = outcome.tables["values"]
    assert list(table.columns) == ["id", "value", "std_error", "ci_low", "ci_high", "evaluations"]
    assert len(table) == 25
    assert table["id"].is_unique
    assert np.isfinite(table[["value", "std_error"]]).all(axis=None)
    assert (table["evaluations"] == 5).all()
    assert outcome.metrics["rows"] == 25
    assert outcome.metrics["utility_evaluations"] >= 5 * 26
    assert "epsilon" not in outcome.metrics
    assert set(outcome.figures) == {"values"}


def test_corruption_is_judged_and_marked(answer: Answer) -> None:
    outcome = answer(
        "dataset=breast_cancer",
        "dataset.corruption.labels=0.3",
        "dataset.split={train: 100, valid: 150, test: 50}",
        "valuation.learning_rate=0.5",
    )
    assert outcome.metrics["label_noise/auc"] > 0.85
    assert (~outcome.tables["values"]["clean"]).sum() == 30
    flipped = outcome.tables["values"].groupby("clean")["value"].mean()
    assert flipped[False] < flipped[True]


def test_a_private_valuation_states_what_it_spent(answer: Answer, tmp_path: Path) -> None:
    outcome = answer(*SMALL, "dataset=diabetes", "privacy=running_mean_burn_in", "privacy.epsilon=3")
    assert outcome.metrics["epsilon"] == pytest.approx(3.0, rel=1e-6)
    assert outcome.metrics["epsilon"] <= 3.0
    entries = [json.loads(line) for line in (tmp_path / "run" / "ledger.jsonl").read_text().splitlines()]
    assert [entry["round"] for entry in entries] == [1, 2, 3, 4, 5]
    assert entries[-1]["most_per_row"] == 5
    assert entries[-1]["epsilon"] == outcome.metrics["epsilon"]
    assert all(earlier["epsilon"] < later["epsilon"] for earlier, later in pairwise(entries))


class Sealed(Arrays):
    """A split that nobody may read."""

    def __getattribute__(self, name: str) -> object:
        raise AssertionError(f"the test split was asked for its {name}")


@pytest.mark.parametrize("valuation", ["gradient_semivalue", "semivalue"])
def test_the_test_split_is_not_looked_at(answer: Answer, valuation: str) -> None:
    def seal(data: PreparedData) -> PreparedData:
        return replace(data, test=Sealed(*(None,) * 5))  # type: ignore[arg-type]

    choices = (*SMALL, "dataset=diabetes", f"valuation={valuation}")
    open_, sealed = answer(*choices, folder="open"), answer(*choices, folder="sealed", change=seal)
    assert sealed.tables["values"].equals(open_.tables["values"])
