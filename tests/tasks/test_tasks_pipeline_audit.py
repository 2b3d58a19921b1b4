"""task=audit through the whole pipeline: honest ones keep their bound, and each broken variant is caught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from assay.data.own import options as own_options
from assay.errors import InputError
from assay.runs import Outcome
from assay.valuation.gradient.semivalue import GradientSemivalue

Answer = Callable[..., Outcome]


@pytest.fixture
def table(tmp_path: Path) -> list[str]:
    """A small table of the user's own."""
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"a": generator.normal(size=60).round(3), "b": generator.normal(size=60).round(3)})
    frame["c"] = generator.choice(["red", "green"], 60)
    frame["y"] = np.where(frame["a"] + 0.3 * generator.normal(size=60) > 0, "yes", "no")
    frame.to_csv(tmp_path / "own.csv", index=False)
    sizes = ["dataset.split={train: 20, valid: 30, test: 10}", "valuation.evaluations=3"]
    sizes += ["task.trials=40", "task.rows=2", "task.releases=40"]
    return ["task=audit", "dataset=csv", f"dataset.path={tmp_path / 'own.csv'}", "dataset.target=y", *sizes]


def broken(outcome: Outcome) -> tuple[float, float]:
    """Neighbours that show in public bytes, and in the numbers of other rows."""
    return outcome.metrics["pipeline/public_bytes_differ"], outcome.metrics["pipeline/other_rows_differ"]


@pytest.mark.parametrize("privacy", ["directed", "iid", "directed_subspace"])
@pytest.mark.parametrize("valuation", ["private_semivalue", "gradient_semivalue"])
def test_neighbouring_tables_give_one_publication(
    answer: Answer, table: list[str], privacy: str, valuation: str
) -> None:
    outcome = answer(*table, f"privacy={privacy}", f"valuation={valuation}")
    assert broken(outcome) == (0, 0)
    assert set(outcome.tables["pipeline"]["change"]) == {"row", "number", "word", "category", "label"}
    assert len(outcome.tables["pipeline"]) == 10
    assert outcome.metrics["pipeline/row/excess"] <= 0
    assert outcome.metrics["pipeline/label/excess"] <= 0


def test_types_read_off_private_rows_are_caught(
    answer: Answer, table: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def judged_by_all(self: Any, data_dir: Path, valid: Any, change: Any = None) -> Any:
        from assay.data.own.storage import stored

        raw = self.raw() if change is None else change.of_cells(self.raw(), self.target)
        return stored(raw, replace(self._wanted(), missing="drop"), None)

    monkeypatch.setattr(own_options.OwnTable, "load_blind", judged_by_all)
    outcome = answer(*table, "privacy=directed", "valuation=private_semivalue")
    assert broken(outcome)[0] > 0  # a row without cells takes its id with it


def test_a_public_column_that_counts_labels_is_caught(
    answer: Answer, table: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = GradientSemivalue.valuate

    def counting(self: Any, problem: Any, run: Any) -> Any:
        valuation = original(self, problem, run)
        count = valuation.values.evaluations + int(problem.data.train.target.sum())
        return replace(valuation, values=replace(valuation.values, evaluations=count))

    monkeypatch.setattr(GradientSemivalue, "valuate", counting)
    outcome = answer(*table, "privacy=iid", "valuation=gradient_semivalue")
    caught = outcome.tables["pipeline"].set_index("change")["files"]
    assert (caught["label"] == "values.csv").all()


def test_features_scaled_by_private_rows_show_in_other_rows(
    answer: Answer, table: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay.data.encoding import features

    fit, encode, matrices = features.fit_map, features.encode, []

    def encoded(*arguments: Any) -> Any:
        pair = encode(*arguments)
        matrices.append(pair[0])
        return pair

    def fitted_on_train(valid: Any, *arguments: Any) -> Any:
        return fit(matrices[-3], *arguments)

    monkeypatch.setattr(features, "encode", encoded)
    monkeypatch.setattr(features, "fit_map", fitted_on_train)
    assert broken(answer(*table, "privacy=directed", "valuation=private_semivalue"))[1] > 0


def test_noise_that_is_too_small_exceeds_its_bound(
    answer: Answer, table: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from assay.valuation.gradient.directed.estimate import DirectedRelease

    original = DirectedRelease._release

    def almost_bare(self: Any, exact: Any, design: Any, noise: Any) -> Any:
        released, errors = original(self, exact, design, noise)
        bare = exact.numpy()
        return bare + 1e-3 * (released - bare), errors

    monkeypatch.setattr(DirectedRelease, "_release", almost_bare)
    outcome = answer(*table, "privacy=directed", "privacy.epsilon=0.1", "valuation=private_semivalue")
    assert outcome.metrics["pipeline/label/excess"] > 0


def test_what_cannot_be_audited_is_refused(answer: Answer, table: list[str]) -> None:
    for further, key in (
        (["privacy=none", "valuation=gradient_semivalue"], "task"),
        (["privacy=directed", "privacy.secure_noise=true"], "secure_noise"),
        (["privacy=directed", "dataset.corruption.labels=0.2"], "corruption"),
    ):
        with pytest.raises(InputError, match=key):
            answer(*table, *further)


def test_what_few_trials_cannot_say_is_said(answer: Answer, table: list[str]) -> None:
    many = answer(*table, "privacy=directed", "privacy.epsilon=0.5", "valuation=private_semivalue")
    few = answer(*table, "privacy=directed", "privacy.epsilon=8", "valuation=private_semivalue")
    assert many.headline is not None
    assert few.headline is not None
    assert not any("too few trials" in note for note in many.headline.notes)
    assert any("too few trials" in note for note in few.headline.notes)
