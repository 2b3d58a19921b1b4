"""A user's own table through the whole command: what the terminal, run.log and status.json say of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from assay.cli import main

RUN = ["run", "task=value", "dataset=csv", "dataset.target=résilié", "valuation.evaluations=2", "valuation.bootstrap=0"]
LEFT_OUT = "column 'who' is left out: 200 distinct values on 200 rows identify rows (dataset.types.who=categorical"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, which is the user's home, with a table of 200 rows in Latin-1 of which 4 have holes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("ASSAY_OUTPUTS", "ASSAY_DATA", "HYDRA_FULL_ERROR"):
        monkeypatch.delenv(name, raising=False)
    draw = np.random.default_rng(0)
    frame = pd.DataFrame({"who": [f"C{row}" for row in range(200)], "Age (years)": draw.integers(20, 60, 200)})
    frame["income"] = draw.normal(size=200)
    frame["zip"] = draw.choice([75001, 69002], 200)
    frame["résilié"] = np.where(frame["income"] > 0, "yes", "no")
    frame.loc[[3, 50, 60, 199], "income"] = np.nan
    frame.to_csv(tmp_path / "own.csv", index=False, encoding="latin-1")
    return tmp_path


def test_what_was_made_of_the_table_is_said_logged_and_saved(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    own = ["dataset.path=~/own.csv", "dataset.encoding=latin-1", "dataset.missing=drop"]
    split = ["dataset.split.train=0.9", "dataset.split.valid=0.1", "dataset.split.test=0"]
    assert main([*RUN, *own, *split, "dataset.types.zip=categorical", "dataset.types.Age (years)=ignore"]) == 0
    said = capfd.readouterr()
    assert said.err.splitlines() == [
        "own.csv: target résilié (classification: no, yes)",
        "  numeric: income",
        "  categorical: zip",
        "  left out: who (identifies rows), Age (years) (ignored); dataset.types.COLUMN=TYPE decides otherwise",
        "  4 of 200 rows dropped for a missing cell (dataset.missing=drop)",
        "  196 rows: 176 train (valued), 20 valid (held back to judge by), 0 test",
        "  ids in the results are row positions from 0: the first data row is 0",
        "warning: valid holds 20 rows only, and all values are judged by them (raise dataset.split.valid)",
    ]
    run = Path(said.out.splitlines()[-1].removeprefix("run: "))
    log = (run / "run.log").read_text()
    for words in (LEFT_OUT, "196 rows: 176 train", "WARNING assay.experiment: warning: valid holds 20 rows only"):
        assert words in log
    status = json.loads((run / "status.json").read_text())
    assert status["columns"]["left_out"] == {"who": "identifies rows", "Age (years)": "ignored"}
    assert status["rows"] == {"read": 200, "incomplete": 4, "train": 176, "valid": 20, "test": 0}
    valued = set(pd.read_parquet(run / "values.parquet")["id"])
    assert len(valued) == 176
    assert max(valued) > 195  # positions in the file, not among the rows that are left
    assert not valued & {3, 50, 60, 199}


def test_a_sweep_over_types_logs_each_run(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    own = ["dataset.path=own.csv", "dataset.encoding=latin-1", "dataset.missing=drop"]
    assert main([*RUN, *own, "-m", "dataset.types.Age (years)=ignore,categorical"]) == 0
    lines = capfd.readouterr().out.splitlines()
    runs = [Path(line.removeprefix("run: ")) for line in lines if line.startswith("run: ")]
    assert len(set(runs)) == 2
    categorical: list[Any] = []
    for run in runs:
        assert LEFT_OUT in (run / "run.log").read_text()
        categorical.append(json.loads((run / "status.json").read_text())["columns"]["categorical"])
    assert categorical == [[], ["Age (years)"]]


def test_a_private_run_keeps_counts_off_its_status(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    own = ["dataset.path=own.csv", "dataset.encoding=latin-1", "privacy=iid"]
    assert main([*RUN, *own, "dataset.missing=drop"]) == 2
    assert capfd.readouterr().err.startswith("dataset.missing=drop: shows which rows have a missing cell")
    assert main([*RUN, *own]) == 0
    said = capfd.readouterr()
    assert "dropped" not in said.err
    run = Path(said.out.splitlines()[-1].removeprefix("run: "))
    assert "column 'income': 4 private cells are replaced by a public value" in (run / "run.log").read_text()
    status = json.loads((run / "status.json").read_text())
    assert "rows" not in status
    assert status["columns"]["left_out"] == {"who": "identifies rows"}
    assert "200" not in json.dumps(status["columns"])


def test_a_mistake_in_the_data_is_one_line_and_writes_nothing(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([*RUN, "dataset.path=own.csv"]) == 2
    assert "is not UTF-8 text" in capfd.readouterr().err
    assert main([*RUN, "dataset.path=own.csv", "dataset.encoding=cp1252"]) == 2
    said = capfd.readouterr()
    assert said.err.startswith("dataset.path=own.csv: column 'income' has 4 missing (NaN) values (fill them, drop")
    assert said.err.count("\n") == 1
    assert not (home / "outputs").exists()
