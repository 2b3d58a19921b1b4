"""task=estimation_uncertainty: its numbers against definitions, and the same bytes however it is carried out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assay.errors import InputError
from assay.runs import Outcome
from assay.statistics import log_log_slope
from assay.tasks.comparison import Measured
from assay.valuation.gradient.semivalue import GradientSemivalue

Answer = Callable[..., Outcome]
SMALL = (
    "experiment=private_valuation/estimation_uncertainty",
    "dataset.split={train: 20, valid: 60, test: 20}",
    "task.replicates=6",
    "task.evaluations=[4,16]",
    "task.reference_evaluations=60",
)


def test_summary_holds_the_definitions(answer: Answer, cells: dict[str, Measured]) -> None:
    outcome = answer(*SMALL)
    summary = outcome.tables["summary"].set_index(["contender", "evaluations"])
    assert len(summary) == 8
    for (contender, evaluations), row in summary.iterrows():
        values = cells[f"evaluations-{evaluations}-{contender}"].values
        assert row["estimation_uncertainty"] == pytest.approx(values.var(axis=0, ddof=1).mean())
        assert row["estimation_uncertainty_low"] < row["estimation_uncertainty"] < row["estimation_uncertainty_high"]
        assert row["spearman_low"] < row["spearman"] < row["spearman_high"]
        assert 0 <= row["auc"] <= 1
        assert row["touches_least"] == row["touches_most"] == (0 if contender == "none" else evaluations)
        assert row["epsilon"] == (np.inf if contender == "none" else pytest.approx(8.0, rel=1e-6))
    slopes = outcome.tables["slopes"].set_index("contender")["slope"]
    iid = summary.loc["iid", "estimation_uncertainty"].to_numpy()
    assert slopes["iid"] == pytest.approx(log_log_slope([4, 16], iid))
    assert outcome.metrics["iid/slope"] == slopes["iid"]
    change = outcome.metrics["iid/16/spearman"] - outcome.metrics["iid/4/spearman"]
    assert outcome.metrics["iid/spearman_change"] == pytest.approx(change)
    assert list(outcome.tables["costs"].columns) == ["contender", "evaluations", "seconds", "cpu_seconds"]
    assert set(outcome.figures) == {"estimation_uncertainty", "fidelity"}
    assert len(outcome.tables["values"]) == 4 * 20


def test_one_or_two_workers_give_the_same_numbers(answer: Answer) -> None:
    one, two = answer(*SMALL, folder="one"), answer(*SMALL, workers=2, folder="two")
    for name in ("summary", "slopes", "values"):
        assert one.tables[name].equals(two.tables[name])
    assert dict(one.metrics) == dict(two.metrics)


def test_finished_cells_are_not_measured_again(answer: Answer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    first = answer(*SMALL)
    (tmp_path / "run" / "scratch" / "cells-4.npz").unlink()  # the reference, none at 4 and 16, iid at 4 and 16
    valued: list[str] = []
    original = GradientSemivalue.replicates

    def counted(self: GradientSemivalue, *arguments: object, **choices: object) -> object:
        valued.append(str(choices["purpose"]))
        return original(self, *arguments, **choices)  # type: ignore[arg-type]

    monkeypatch.setattr(GradientSemivalue, "replicates", counted)
    again = answer(*SMALL)
    assert valued == ["evaluations-16"]
    assert again.tables["summary"].equals(first.tables["summary"])


def test_seeds_differ_and_seed_zero_repeats(answer: Answer) -> None:
    zero, again, one = answer(*SMALL, folder="a"), answer(*SMALL, folder="b"), answer(*SMALL, "seed=1", folder="c")
    assert dict(zero.metrics) == dict(again.metrics)
    assert zero.metrics["iid/4/estimation_uncertainty"] != one.metrics["iid/4/estimation_uncertainty"]


def test_the_bootstrap_interval_covers(answer: Answer) -> None:
    """A slope over many replicates lies inside the interval from few, and intervals are not vacuous."""
    few = answer(*SMALL, folder="few").tables["slopes"].set_index("contender")
    many = answer(*SMALL, "task.replicates=60", "seed=0", folder="many").tables["slopes"].set_index("contender")
    for mechanism in ("none", "iid"):
        # 6 replicates give a bootstrap interval that is somewhat short: half its width is added on either side
        width = few.loc[mechanism, "slope_high"] - few.loc[mechanism, "slope_low"]
        assert 0 < width < 2
        assert few.loc[mechanism, "slope_low"] - width / 2 < many.loc[mechanism, "slope"]
        assert many.loc[mechanism, "slope"] < few.loc[mechanism, "slope_high"] + width / 2


def test_without_corrupted_rows_there_is_nothing_to_judge_by(answer: Answer) -> None:
    with pytest.raises(InputError, match=r"dataset\.corruption=none: no row of the train split is corrupted"):
        answer(*SMALL, "dataset.corruption.labels=0")
