"""Carrying a config out: once, with its record, and never half-trusted."""

from __future__ import annotations

import errno
import json
import logging
import math
import os
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from assay.errors import AssayError
from assay.runs import (
    Outcome,
    RunContext,
    RunDirectory,
    execute,
    find_finished,
    finished_runs,
)
from assay.runs import directory as directory_module

CONFIG: dict[str, Any] = {
    "name": "paper/study",
    "seed": 0,
    "paths": {"outputs": "outputs"},
    "privacy": {"name": "none"},
}


def answer(context: RunContext) -> Outcome:
    draws = context.streams.generator("answer").normal(size=4)
    table = pd.DataFrame({"id": range(4), "value": draws})
    return Outcome({"mean": float(draws.mean()), "none": math.nan}, {"values": table})


def figure_answer(context: RunContext) -> Outcome:
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot([0, 1], [1, 0])
    return Outcome({"one": 1.0}, figures={"line": figure})


def test_a_run_leaves_its_whole_record(tmp_path: Path) -> None:
    result = execute(CONFIG, answer, tmp_path, facts={"data": {"provider": "built in"}})
    assert result.fresh
    assert result.directory.parent == tmp_path / "paper" / "study"
    assert {entry.name for entry in result.directory.iterdir()} == {
        "config.yaml",
        "status.json",
        "metrics.json",
        "values.parquet",
        "headline.json",
        "run.log",
    }
    assert yaml.safe_load((result.directory / "config.yaml").read_text()) == CONFIG
    status = json.loads((result.directory / "status.json").read_text())
    assert status["state"] == "finished"
    assert status["data"] == {"provider": "built in"}
    assert status["noise"] == "none"
    assert status["versions"].keys() >= {"python", "numpy", "torch"}
    assert status.keys() >= {"started", "finished", "seconds", "cpu_seconds", "peak_memory_mb", "commit"}
    assert "pid" not in status
    assert list((tmp_path / "paper").rglob(".*")) == []  # neither lock nor partial file stays


def test_metrics_come_back_as_they_were(tmp_path: Path) -> None:
    fresh = execute(CONFIG, answer, tmp_path)
    again = execute(CONFIG, answer, tmp_path)
    assert (fresh.fresh, again.fresh) == (True, False)
    assert repr(again.metrics) == repr(fresh.metrics)
    assert math.isnan(again.metrics["none"])
    assert "NaN" not in (fresh.directory / "metrics.json").read_text()
    assert list(again.metrics)[-3:] == ["seconds", "cpu_seconds", "peak_memory_mb"]


def test_a_finished_run_is_not_carried_out_again(tmp_path: Path) -> None:
    execute(CONFIG, answer, tmp_path)
    before = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")}

    def forbidden(context: RunContext) -> Outcome:
        raise AssertionError("carried out twice")

    execute(CONFIG, forbidden, tmp_path)
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")} == before


def test_equal_tables_and_figures_give_equal_bytes(tmp_path: Path) -> None:
    for work, name in ((answer, "values.parquet"), (figure_answer, "figures/line.png")):
        one, other = (execute(CONFIG, work, tmp_path / name / side).directory for side in "ab")
        assert (one / name).read_bytes() == (other / name).read_bytes()
    png = (other / name).read_bytes()
    assert png.startswith(b"\x89PNG")
    assert b"matplotlib" not in png.lower()
    assert b"tIME" not in png


def test_seeds_have_directories_and_numbers_of_their_own(tmp_path: Path) -> None:
    zero, one = (execute({**CONFIG, "seed": seed}, answer, tmp_path) for seed in (0, 1))
    assert zero.directory != one.directory
    assert zero.metrics["mean"] != one.metrics["mean"]
    assert list(finished_runs(tmp_path)) == sorted([zero.directory, one.directory])


def test_a_failing_run_says_why_and_is_retried(tmp_path: Path) -> None:
    def failing(context: RunContext) -> Outcome:
        (context.parts.folder / "checkpoint").write_text("bad")
        (context.parts.folder.parent / "half.parquet").write_text("half")
        raise ZeroDivisionError("by nought")

    with pytest.raises(ZeroDivisionError):
        execute(CONFIG, failing, tmp_path)
    place = next((tmp_path / "paper" / "study").iterdir())
    status = RunDirectory(place).status()
    assert (status["state"], status["error"]) == ("failed", "ZeroDivisionError: by nought")
    assert "in failing" in (place / "run.log").read_text()
    assert find_finished(CONFIG, tmp_path) is None
    assert not (place / "scratch").exists()

    result = execute(CONFIG, answer, tmp_path)
    assert result.fresh
    assert not (place / "half.parquet").exists()


def test_an_interrupted_run_keeps_its_checkpoints(tmp_path: Path) -> None:
    seen: list[bool] = []

    def work(context: RunContext) -> Outcome:
        seen.append((context.parts.folder / "checkpoint").exists())
        (context.parts.folder / "checkpoint").write_text("half way")
        if len(seen) == 1:
            raise KeyboardInterrupt
        return answer(context)

    with pytest.raises(KeyboardInterrupt):
        execute(CONFIG, work, tmp_path)
    place = next((tmp_path / "paper" / "study").iterdir())
    assert RunDirectory(place).status()["state"] == "interrupted"
    execute(CONFIG, work, tmp_path)
    assert seen == [False, True]
    assert not (place / "scratch").exists()


@pytest.mark.parametrize("status", ['{"state": "running", "pid": 1}', '{"state": "fini', "[]", ""])
def test_only_a_directory_that_says_finished_is_trusted(tmp_path: Path, status: str) -> None:
    result = execute(CONFIG, answer, tmp_path)
    reference = (result.directory / "values.parquet").read_bytes()
    (result.directory / "status.json").write_text(status)
    (result.directory / "values.parquet").write_bytes(b"torn")
    assert find_finished(CONFIG, tmp_path) is None
    assert list(finished_runs(tmp_path)) == []
    lines: list[str] = []
    assert execute(CONFIG, answer, tmp_path, say=lines.append).fresh
    assert (result.directory / "values.parquet").read_bytes() == reference
    aside = result.directory.with_name(f"{result.directory.name}.1")
    named = f"{result.directory}: damaged (status.json); the older run is {aside}"
    assert lines == ([] if "running" in status else [named])  # an attempt that was killed is none


def test_what_libraries_say_goes_to_the_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def work(context: RunContext) -> Outcome:
        warnings.warn("deprecated, they say", stacklevel=1)
        logging.getLogger("pytorch_lightning").info("GPU available: False")
        return Outcome()

    logging.getLogger("pytorch_lightning").addHandler(logging.StreamHandler())
    log = execute(CONFIG, work, tmp_path).directory / "run.log"
    assert "deprecated, they say" in log.read_text()
    assert "GPU available" in log.read_text()
    said = capfd.readouterr()
    assert said.out + said.err == ""


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("file", ["values.parquet", "metrics.json", "status.json", "config.yaml"])
def test_a_full_disk_is_one_line_and_loses_no_earlier_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, file: str
) -> None:
    earlier = execute({**CONFIG, "seed": 9}, answer, tmp_path).directory
    before = {entry: entry.read_bytes() for entry in earlier.iterdir()}
    whole = directory_module.write_atomically

    def full(path: Path, content: bytes) -> None:
        if path.name == file:
            raise OSError(number, os.strerror(number), str(path))
        whole(path, content)

    monkeypatch.setattr(directory_module, "write_atomically", full)
    with pytest.raises(AssayError) as caught:
        execute(CONFIG, answer, tmp_path)
    message = str(caught.value)
    assert message.startswith("paths.outputs=outputs: cannot write ")
    assert file in message
    assert os.strerror(number) in message
    assert message.endswith("(make room, or write elsewhere: paths.outputs=FOLDER)")
    assert "\n" not in message
    monkeypatch.undo()
    assert {entry: entry.read_bytes() for entry in earlier.iterdir()} == before
    assert execute(CONFIG, answer, tmp_path).fresh


def test_outputs_that_are_a_file_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "outputs").write_text("in the way")
    with pytest.raises(
        AssayError, match=r"^paths.outputs=outputs: cannot write .*\(write elsewhere: paths.outputs=FOLDER\)$"
    ):
        execute(CONFIG, answer, tmp_path / "outputs" / "runs")


def test_a_file_the_work_cannot_read_is_not_blamed_on_outputs(tmp_path: Path) -> None:
    def work(context: RunContext) -> Outcome:
        raise PermissionError(errno.EACCES, "Permission denied", "/elsewhere/my.csv")

    with pytest.raises(PermissionError):
        execute(CONFIG, work, tmp_path / "runs")
