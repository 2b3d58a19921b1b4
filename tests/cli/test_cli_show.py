"""The tables that a run ends with."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from assay.cli.show import show
from assay.runs import Outcome, RunDirectory, execute

SUMMARY = pd.DataFrame(
    {
        "mechanism": ["none", "iid"],
        "evaluations": [4, 4],
        "uncertainty": [0.000123456, 0.5],
        "uncertainty_low": [math.nan, 0.25],
        "uncertainty_high": [math.nan, 0.75],
        "auc": [0.7, math.nan],
    }
)
COSTS = pd.DataFrame({"mechanism": ["iid", "none"], "evaluations": [4, 4], "seconds": [2.5, 1.25]})


def shown(
    tables: dict[str, pd.DataFrame], metrics: dict[str, float], folder: Path, capfd: pytest.CaptureFixture[str]
) -> str:
    result = execute({"name": "x", "seed": 0}, lambda context: Outcome(metrics, tables), folder)
    show(RunDirectory(result.directory))
    return capfd.readouterr().out


def test_a_summary_has_its_intervals_and_seconds(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = shown({"summary": SUMMARY, "costs": COSTS}, {"iid/auc": 0.7}, tmp_path, capfd)
    rows = [line.split() for line in out.splitlines()]
    assert ["mechanism", "evaluations", "uncertainty", "auc", "seconds"] in rows
    assert ["none", "4", "0.000123", "0.7", "1.25"] in rows
    assert ["iid", "4", "0.5", "[0.25,", "0.75]", "-", "2.5"] in rows
    assert "iid/auc" not in out


def test_slopes_follow_the_summary(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    slopes = pd.DataFrame({"mechanism": ["iid"], "slope": [0.75], "slope_low": [0.5], "slope_high": [1.0]})
    out = shown({"summary": SUMMARY, "slopes": slopes}, {}, tmp_path, capfd)
    assert out.index("uncertainty") < out.index("log-log slope") < out.index("0.75 [0.5, 1]")


def test_values_show_the_lowest_and_the_metrics(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    values = pd.DataFrame({"id": range(30), "value": [float(29 - row) for row in range(30)]})
    out = shown({"values": values}, {"rows": 30, "auc": math.nan}, tmp_path, capfd)
    assert "the 10 rows of lowest value, of 30" in out
    ids = [line.split()[0] for line in out.splitlines() if line.split() and line.split()[0].isdigit()]
    assert ids == [str(row) for row in range(29, 19, -1)]
    assert "rows: 30" in out
    assert "auc: -" in out


def test_values_of_which_some_have_no_interval_are_not_counted(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    values = pd.DataFrame({"id": [0, 1], "value": [1.0, 2.0], "ci_low": [0.5, math.nan], "ci_high": [1.5, math.nan]})
    out = shown({"values": values}, {"rows": 2}, tmp_path, capfd)
    assert "rows: 2" in out
    assert "at 95 %" not in out


def test_a_run_without_tables_still_says_what_it_cost(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert " s of processor, " in shown({}, {}, tmp_path, capfd)
