"""The last lines of a run: its headline, its guarantee, its files and its cost."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from assay.cli.show import show
from assay.runs import Headline, Outcome, RunDirectory, Shown, execute, of_account

SUMMARY = pd.DataFrame(
    {
        "contender": ["none", "iid"],
        "evaluations": [4, 4],
        "uncertainty": [0.000123456, 0.5],
        "uncertainty_low": [math.nan, 0.25],
        "uncertainty_high": [math.nan, 0.75],
        "auc": [0.7, math.nan],
    }
)
COSTS = pd.DataFrame({"contender": ["iid", "none"], "evaluations": [4, 4], "seconds": [2.5, 1.25]})
VALUES = pd.DataFrame(
    {
        "id": range(30),
        "value": [float(29 - row) for row in range(30)],
        "ci_low": [29.5 - row for row in range(30)],
        "ci_high": [30.5 - row for row in range(30)],
    }
)
ENTRY = {"epsilon": 3.0, "delta": 1e-5, "relation": "zero_out", "noise": "secure"}


def printed(capfd: pytest.CaptureFixture[str], folder: Path, **outcome: Any) -> str:
    result = execute({"name": "x", "seed": 0}, lambda context: Outcome(**outcome), folder)
    show(RunDirectory(result.directory))
    return capfd.readouterr().out


def test_a_table_has_its_intervals_and_the_columns_of_the_table_beside_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    headline = Headline((Shown("title", "summary", beside="costs"),))
    out = printed(capfd, tmp_path, tables={"summary": SUMMARY, "costs": COSTS}, headline=headline, metrics={"a": 1})
    rows = [line.split() for line in out.splitlines()]
    assert ["contender", "evaluations", "uncertainty", "auc", "seconds"] in rows
    assert ["none", "4", "0.000123", "0.7", "1.25"] in rows
    assert ["iid", "4", "0.5", "[0.25,", "0.75]", "–", "2.5"] in rows
    assert "a:" not in out


def test_rows_columns_metrics_and_notes_are_those_of_the_headline(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shown = Shown("the 2 lowest", "values", ("id", "value"), (29, 28), {"value": ("ci_low", "ci_high")})
    headline = Headline((shown,), ("auc", "rows"), ("value: in utils",), further=(Shown("more", "values"),))
    out = printed(
        capfd,
        tmp_path,
        tables={"values": VALUES},
        metrics={"rows": 30.0, "auc": math.nan, "other": 1.0},
        files={"values.csv": VALUES},
        headline=headline,
    )
    lines = out.splitlines()
    assert lines[0] == "the 2 lowest"
    assert [line.split() for line in lines[3:5]] == [["29", "0", "[0.5,", "1.5]"], ["28", "1", "[1.5,", "2.5]"]]
    assert "more" not in out
    assert "value: in utils" in lines
    assert "auc: –" in lines
    assert "rows: 30" in lines
    assert not any(line.startswith("other") for line in lines)
    (file,) = re.findall(r"in full:\s+(\S+)", out)  # a long path stands on a line of its own
    assert len(pd.read_csv(file)) == 30


def test_a_task_without_a_headline_shows_its_first_rows_and_metrics(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = printed(capfd, tmp_path, tables={"mine": VALUES, "other": SUMMARY}, metrics={"rows": 30000.0})
    assert "table mine" in out
    ids = [line.split()[0] for line in out.splitlines()[3:13]]
    assert ids == [str(row) for row in range(10)]
    assert "rows: 30000" in out
    assert "contender" not in out


def test_the_guarantee_is_that_of_the_ledger(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    released = {"released": {"values": ("id", "value")}, "tables": {"values": VALUES}, "statement": ("Noisy.",)}
    out = " ".join(printed(capfd, tmp_path / "a", ledger=[ENTRY], **released).split())
    assert "private: epsilon 3, delta 1e-05, zero_out neighbours, secure noise (" in out
    assert "to publish, with the meaning of the values: " in out
    seeded = of_account([{**ENTRY, "noise": "seeded"}], "iid", 4)
    out = " ".join(printed(capfd, tmp_path / "b", ledger=seeded, **released).split())
    assert "private: epsilon 3 for each of 4 estimates, 12 in all, zero_out neighbours, seeded noise: no guar" in out
    assert "a rehearsal, not to be published without privacy.secure_noise=true, with the" in out
    assert "private" not in printed(capfd, tmp_path / "c")


def test_a_run_without_tables_still_says_what_it_cost(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert " s of processor, " in printed(capfd, tmp_path)
