"""task=value answers with a value table for any valuator and model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import assay
from assay.config.compose import compose
from assay.data import Arrays, PreparedData
from assay.errors import InputError
from assay.experiment import prepared
from assay.learning.modules.permutation_pass import PermutationPass
from assay.runs import Outcome, execute, facts_of
from assay.tasks import carry_out

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


def test_a_publication_holds_the_values_and_their_meaning_and_no_truth(answer: Answer) -> None:
    """The same run for research marks corrupted rows and judges itself by them; neither may be published."""
    corrupted = (
        *SMALL,
        "dataset=breast_cancer",
        "dataset.corruption.labels=0.3",
        "privacy=directed",
        "privacy.paths=2",
    )
    outcome = answer(*corrupted, "valuation=private_semivalue", "privacy.secure_noise=true")
    columns = ["id", "value", "std_error", "pi_low", "pi_high", "noise_half_width", "evaluations"]
    assert list(outcome.tables["values"].columns) == columns
    assert not [name for name in outcome.metrics if "label_noise" in name or "clean" in name]
    assert outcome.released == {"values": tuple(outcome.tables["values"].columns)}
    assert any("(epsilon=8, delta=0)-differentially private" in sentence for sentence in outcome.statement)
    assert facts_of(outcome.ledger)["noise"] == "secure"
    assert facts_of(answer(*corrupted, "valuation=private_semivalue").ledger)["noise"] == "seeded"
    research = answer(*corrupted)
    assert not research.released
    assert "label_noise/auc" in research.metrics
    assert "clean" in research.tables["values"]


def test_values_for_publication_choose_a_mechanism_of_their_own() -> None:
    assert (
        compose(["task=value", "valuation=private_semivalue", "privacy.epsilon=4"]).config["privacy"]["name"]
        == "directed_private_path"
    )
    assert compose(["valuation=private_semivalue", "privacy=iid"]).config["privacy"]["name"] == "iid"


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


def test_a_private_valuation_states_what_it_spent(answer: Answer) -> None:
    outcome = answer(*SMALL, "dataset=diabetes", "privacy=running_mean_burn_in", "privacy.epsilon=3")
    assert outcome.metrics["epsilon"] == pytest.approx(3.0, rel=1e-6)
    assert outcome.metrics["epsilon"] <= 3.0
    entries = outcome.ledger
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


@pytest.mark.parametrize("secure", [True, False])
def test_a_run_that_fails_after_its_fit_does_not_release_twice(
    secure: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With secure noise a second fit would be a second release, and the ledger would know of one only."""
    choices = compose([*SMALL, "dataset=diabetes", "privacy=iid", f"privacy.secure_noise={secure}"])
    data = prepared(choices)
    tables: list[pd.DataFrame] = []
    fits: list[int] = []
    training_step = PermutationPass.training_step

    def step(self: PermutationPass, batch: Any, batch_idx: int) -> None:
        fits.append(len(batch))
        training_step(self, batch, batch_idx)

    def fail(table: pd.DataFrame) -> None:
        tables.append(table)
        raise ValueError("no figure today")

    monkeypatch.setattr(PermutationPass, "training_step", step)
    with monkeypatch.context() as broken:
        broken.setattr("assay.figures.values.value_figure", fail)
        with pytest.raises(ValueError, match="no figure today"):
            execute(choices.config, lambda context: carry_out(choices, data, context), tmp_path / "runs", secure=secure)
    result = execute(
        choices.config, lambda context: carry_out(choices, data, context), tmp_path / "runs", secure=secure
    )
    published = pd.read_parquet(result.directory / "values.parquet")
    pd.testing.assert_frame_equal(published, tables[0])
    assert sum(fits) == (5 if secure else 10)  # seeded noise repeats, so that its checkpoint need not be trusted
    entries = (result.directory / "ledger.jsonl").read_text().splitlines()
    assert len(entries) == 5


def test_a_row_may_stand_beside_its_value(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": range(100, 160), "size": np.linspace(0, 1, 60), "colour": ["red", "blue"] * 30})
    frame["bought"] = np.where(frame["size"] > 0.5, "yes", "no")
    frame.to_csv(tmp_path / "own.csv", index=False)
    own = ["dataset=csv", f"dataset.path={tmp_path / 'own.csv'}", "dataset.target=bought", "dataset.split.train=30"]
    own += ["task=value", "valuation.evaluations=2", "dataset.types.id=numeric"]
    result = assay.run([*own, "task.columns=all"], outputs=tmp_path / "outputs")
    assert result.directory is not None
    written = pd.read_csv(result.directory / "values.csv")
    rows = frame.iloc[written["id"]].reset_index(drop=True)
    assert written["colour"].tolist() == rows["colour"].tolist()
    assert written["bought"].tolist() == rows["bought"].tolist()
    assert written["column id"].tolist() == rows["id"].tolist()
    np.testing.assert_allclose(written["size"], rows["size"])
    assert list(result.values) == ["id", "value", "std_error", "ci_low", "ci_high", "evaluations"]
    chosen = assay.run([*own, "task.columns=[colour]"], outputs=tmp_path / "outputs")
    assert chosen.directory is not None
    assert "colour" in pd.read_csv(chosen.directory / "values.csv")
    with pytest.raises(InputError, match="did you mean colour"):
        assay.run([*own, "task.columns=[color]"])
    with pytest.raises(InputError, match="join by id"):
        assay.run([*own, "task.columns=all", "privacy=iid"])


@pytest.mark.parametrize("valuation", ["gradient_semivalue", "scaling_law"])
def test_what_values_are_good_for_stands_beside_them(answer: Answer, valuation: str) -> None:
    sizes = ("dataset.split={train: 40, valid: 40, test: 10}", "valuation.evaluations=8")
    headline = answer("dataset=breast_cancer", f"valuation={valuation}", *sizes).headline
    good_for = compose([f"valuation={valuation}"]).valuation.good_for
    assert headline is not None
    assert f"good for: {good_for}" in headline.notes
