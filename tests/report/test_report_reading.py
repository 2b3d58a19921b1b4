"""Only finished runs are read; everything else is one clear line."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from assay.errors import AssayError
from assay.report.reading import MISSING, DamagedRunError, find_runs, gather, read_run


def test_a_record_says_what_is_in_the_directory(make_run: Any) -> None:
    directory = make_run(3, metrics={"a/b": 1.5, "gone": None})
    record = read_run(directory)
    assert (record.name, record.seed, record.scale) == ("private_valuation/estimation_uncertainty", 3, "laptop")
    assert record.fingerprint == directory.name
    assert record.metrics["a/b"] == 1.5
    assert math.isnan(record.metrics["gone"])
    assert record.tables == ("costs", "slopes", "summary", "values")
    assert [file.name for file in record.figures] == ["estimation_uncertainty.png", "fidelity.png"]
    table = record.table("summary")
    assert table is not None
    assert len(table) == 12
    assert record.table("curves") is None


def test_setting_goes_down_dotted_keys(make_run: Any) -> None:
    record = read_run(make_run())
    assert record.setting("privacy.epsilon") == 8.0
    assert record.setting("dataset.path") is None
    assert record.setting("privacy.nothing") is MISSING
    assert record.setting("seed.deeper") is MISSING


def test_a_config_may_have_no_scale(make_run: Any) -> None:
    assert read_run(make_run(scale=None)).scale is None


@pytest.mark.parametrize("state", ["running", "failed", "interrupted"])
def test_only_finished_is_trusted(make_run: Any, state: str) -> None:
    directory = make_run(state=state)
    with pytest.raises(AssayError, match=f"the run is {state}, not finished"):
        read_run(directory)
    assert find_runs(directory.parent) == []


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("status.json", None, "damaged (status.json)"),
        ("status.json", "{half", "damaged (status.json)"),
        ("metrics.json", "{half", "metrics.json cannot be read"),
        ("metrics.json", "[1]", "metrics.json cannot be read"),
        ("config.yaml", "a: [", "config.yaml cannot be read"),
        ("config.yaml", "only text", "config.yaml holds no settings"),
    ],
)
def test_a_damaged_directory_is_one_line(make_run: Any, file: str, content: str | None, said: str) -> None:
    directory = make_run()
    (directory / file).unlink()
    if content is not None:
        (directory / file).write_text(content)
    with pytest.raises(AssayError) as raised:
        read_run(directory)
    assert said in str(raised.value)
    assert str(directory) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_damaged_table_is_one_line(make_run: Any) -> None:
    directory = make_run()
    (directory / "values.parquet").write_bytes(b"no parquet")
    with pytest.raises(AssayError, match=r"values\.parquet cannot be read"):
        read_run(directory).table("values")


def test_gather_takes_runs_and_folders_and_each_run_once(make_run: Any, tmp_path: Path) -> None:
    first, second = make_run(0), make_run(1)
    make_run(2, state="running")
    gathered = gather([first, tmp_path / "outputs", second])
    assert sorted(record.seed for record in gathered.records) == [0, 1]
    assert gathered.left_out == ()


def test_a_damaged_run_is_left_out_and_named(make_run: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    digest = hashlib.sha256(b"whole").hexdigest()
    whole, damaged = make_run(0), make_run(1, status={"files": {"values.csv": digest, "gone.csv": digest}})
    (damaged / "values.csv").write_bytes(b"half")
    line = f"{damaged}: damaged (gone.csv, values.csv); repeat its command to run it again"
    with pytest.raises(DamagedRunError) as raised:
        read_run(damaged)
    assert str(raised.value) == line
    gathered = gather([tmp_path / "outputs"])
    assert [record.directory for record in gathered.records] == [whole]
    assert gathered.left_out == (line,)
    assert [record.directory for record in find_runs(tmp_path / "outputs")] == [whole]
    assert capsys.readouterr().err == f"left out: {line}\n"


def test_an_older_run_beside_a_newer_one_is_read_only_when_it_is_named(make_run: Any, tmp_path: Path) -> None:
    newest = make_run(0)
    older = newest.with_name(f"{newest.name}.1")
    shutil.copytree(newest, older)
    assert [record.directory for record in find_runs(tmp_path)] == [newest]
    status = json.loads((older / "status.json").read_text())
    (older / "status.json").write_text(json.dumps({**status, "state": "superseded"}))
    assert read_run(older).fingerprint == newest.name


def test_gather_refuses_what_holds_no_finished_run(make_run: Any, tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="no finished run here or below"):
        gather([tmp_path])
    with pytest.raises(AssayError, match="no such folder"):
        gather([tmp_path / "nowhere"])
    with pytest.raises(AssayError, match="not finished"):
        gather([make_run(state="running")])
