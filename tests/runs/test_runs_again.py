"""A finished run: returned with a word on other sources, run again on demand, and set aside when it is damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from assay.runs import Outcome, RunContext, RunDirectory, execute, find_finished, finished_runs
from assay.runs import attempt as attempt_module
from assay.runs.execute import directory_of

CONFIG: dict[str, Any] = {"name": "study", "seed": 0, "rerun": False}
AGAIN = {**CONFIG, "rerun": True}


class Work:
    """Counts its calls, and answers with the count."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, context: RunContext) -> Outcome:
        self.calls += 1
        table = pd.DataFrame({"id": [0, 1], "value": [0.5, float(self.calls)]})
        return Outcome({"call": self.calls}, {"values": table}, files={"values.csv": table})


def test_rerun_leaves_the_older_run_beside_the_newer_one(tmp_path: Path) -> None:
    work, lines = Work(), list[str]()
    first = execute(CONFIG, work, tmp_path)
    older = (first.directory / "values.parquet").read_bytes()
    assert find_finished(AGAIN, tmp_path) is None
    second = execute(AGAIN, work, tmp_path, say=lines.append)
    third = execute(AGAIN, work, tmp_path, say=lines.append)
    assert second.directory == third.directory == first.directory
    assert (work.calls, third.metrics["call"]) == (3, 3)
    aside = [first.directory.with_name(f"{first.directory.name}.{number}") for number in (1, 2)]
    assert lines == [f"{first.directory}: runs again; the older run is {place}" for place in aside]
    assert (aside[0] / "values.parquet").read_bytes() == older
    for place, call in zip(aside, (1, 2), strict=True):
        status = RunDirectory(place).status()
        assert (status["state"], status["fingerprint"]) == ("superseded", first.directory.name)
        assert RunDirectory(place).metrics()["call"] == call
        assert not RunDirectory(place).is_finished()
    assert list(finished_runs(tmp_path)) == [first.directory]
    assert execute(CONFIG, work, tmp_path).metrics["call"] == 3  # without the key the newest is returned


def test_an_interrupted_rerun_goes_on_and_the_older_run_stays(tmp_path: Path) -> None:
    execute(CONFIG, Work(), tmp_path)
    seen: list[bool] = []

    def interrupted(context: RunContext) -> Outcome:
        seen.append((context.parts.folder / "half").exists())
        (context.parts.folder / "half").write_text("half")
        if len(seen) == 1:
            raise KeyboardInterrupt
        return Outcome({"call": 9})

    with pytest.raises(KeyboardInterrupt):
        execute(AGAIN, interrupted, tmp_path, say=lambda line: None)
    assert execute(AGAIN, interrupted, tmp_path, say=lambda line: None).metrics["call"] == 9
    assert seen == [False, True]
    assert sorted(place.suffix for place in (tmp_path / "study").iterdir()) == ["", ".1"]


def test_a_run_renamed_by_a_kill_before_its_status_is_not_the_newest(tmp_path: Path) -> None:
    first = execute(CONFIG, Work(), tmp_path).directory
    first.rename(first.with_name(f"{first.name}.1"))
    assert list(finished_runs(tmp_path)) == []
    assert execute(CONFIG, Work(), tmp_path).fresh


def test_a_run_of_other_sources_is_returned_with_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = execute(CONFIG, Work(), tmp_path).directory
    assert capsys.readouterr().err == ""
    again = find_finished(CONFIG, tmp_path)
    assert again is not None
    assert again.same_sources
    assert capsys.readouterr().err == ""
    status = json.loads((directory / "status.json").read_text())
    assert len(status["sources"]) == 64
    RunDirectory(directory).write_status({**RunDirectory(directory).status(), "sources": "0" * 64})
    again = find_finished(CONFIG, tmp_path)
    assert again is not None
    assert not again.same_sources
    assert capsys.readouterr().err == f"{directory}: made by other sources of assay (rerun=true runs it again)\n"


@pytest.mark.parametrize("secure", [True, False])
def test_checkpoints_of_other_sources_are_dropped_unless_their_noise_is_secure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secure: bool
) -> None:
    seen: list[bool] = []

    def interrupted(context: RunContext) -> Outcome:
        seen.append((context.parts.folder / "half").exists())
        (context.parts.folder / "half").write_text("half")
        if len(seen) < 3:
            raise KeyboardInterrupt
        return Outcome()

    for sources in ("a", "a", "b"):
        monkeypatch.setattr(attempt_module, "own_sources", lambda sources=sources: sources)
        if len(seen) < 2:
            with pytest.raises(KeyboardInterrupt):
                execute(CONFIG, interrupted, tmp_path, secure=secure)
        else:
            execute(CONFIG, interrupted, tmp_path, secure=secure)
    assert seen == [False, True, secure]


@pytest.mark.parametrize("damage", ["flip", "remove", "metrics"])
def test_a_damaged_run_is_named_set_aside_and_computed_again(tmp_path: Path, damage: str) -> None:
    work, lines = Work(), list[str]()
    directory = execute(CONFIG, work, tmp_path).directory
    file = directory / ("metrics.json" if damage == "metrics" else "values.parquet")
    if damage == "remove":
        file.unlink()
    elif damage == "flip":
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    else:
        file.write_text("{half")
    assert RunDirectory(directory).damaged_files() == [file.name]
    assert find_finished(CONFIG, tmp_path) is None
    assert execute(CONFIG, work, tmp_path, say=lines.append).fresh
    aside = directory.with_name(f"{directory.name}.1")
    assert lines == [f"{directory}: damaged ({file.name}); the older run is {aside}"]
    assert RunDirectory(aside).status()["state"] == "damaged"
    assert RunDirectory(directory).damaged_files() == []
    assert work.calls == 2


def test_files_added_later_are_no_damage(tmp_path: Path) -> None:
    directory = execute(CONFIG, Work(), tmp_path).directory
    (directory / "published.json").write_text("[]")
    assert not execute(CONFIG, Work(), tmp_path).fresh


def test_the_code_of_the_users_method_is_part_of_the_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "method_of_mine.py").write_text("class Method:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    config = {**CONFIG, "valuation": {"_target_": "method_of_mine.Method"}}
    work = Work()
    first = execute(config, work, tmp_path / "runs")
    assert first.directory == directory_of(config, tmp_path / "runs").path
    assert not execute(config, work, tmp_path / "runs").fresh
    (tmp_path / "method_of_mine.py").write_text("class Method:\n    alpha = 1\n")
    second = execute(config, work, tmp_path / "runs")
    assert second.fresh
    assert second.directory != first.directory
    codes = [RunDirectory(result.directory).status()["code"] for result in (first, second)]
    assert codes[0] != codes[1]
    assert "code" not in RunDirectory(execute(CONFIG, work, tmp_path / "runs").directory).status()
