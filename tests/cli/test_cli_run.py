"""`assay run`: from overrides to one finished run, or to one line."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from assay.errors import AssayError
from assay.runs import RunDirectory

RUN = ("run", "task=value", "valuation.evaluations=4")


def files() -> list[str]:
    return sorted(str(path) for path in Path().rglob("*"))


def test_a_run_ends_with_its_table_and_directory(fakes: Any, assay: Any) -> None:
    said = assay(*RUN)
    assert (said.status, said.err) == (0, "")
    directory = Path(said.last.removeprefix("run: "))
    assert directory.parent == Path("outputs/runs/value")
    assert RunDirectory(directory).is_finished()
    assert RunDirectory(directory).status()["data"]["provider"] == "built in"
    assert "table values" in said.out
    assert "std_error" in said.out
    assert {path.parts[0] for path in Path().iterdir()} == {"outputs"}
    assert os.listdir("outputs") == ["runs"]  # noqa: PTH208


def test_data_is_asked_for_by_the_keys_of_its_group(fakes: Any, assay: Any) -> None:
    assay(*RUN, "dataset.rows=50", 'paths.data="~/somewhere"', "seed=0")
    (keys,) = fakes.prepared
    options = keys.pop("options")
    assert (options.name, options.kind, options.rows, options.split.train) == ("diabetes", "regression", 50, 0.6)
    assert keys["data_dir"] == Path("~/somewhere").expanduser()
    assert keys["blind"] is False
    assay(*RUN, "privacy=iid")
    assert fakes.prepared[1]["blind"] is True


def test_the_second_time_nothing_is_done_and_the_same_is_said(fakes: Any, assay: Any) -> None:
    first = assay(*RUN)
    again = assay(*RUN, "workers=2", "progress=false")
    assert (again.status, again.out) == (0, first.out)
    assert (len(fakes.prepared), len(fakes.carried)) == (1, 1)
    other = assay(*RUN, "seed=1")
    assert other.last != first.last
    assert len(fakes.carried) == 2


def test_what_libraries_say_is_in_the_log_only(fakes: Any, assay: Any) -> None:
    said = assay(*RUN)
    log = (Path(said.last.removeprefix("run: ")) / "run.log").read_text()
    assert "a library is worried" in log
    assert "a library says so" in log
    assert "library" not in said.out + said.err


def test_asking_wrongly_is_one_line_status_two_and_writes_nothing(fakes: Any, assay: Any) -> None:
    said = assay("run", "privacy=iid", "privacy.epsilon=-1")
    assert said.status == 2
    assert said.out == ""
    assert said.err == "privacy.epsilon=-1: must be > 0 (use privacy=none for a run without privacy)\n"
    assert files() == []


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["privacy=iid", "privacy.epslon=1"], "privacy.epslon=1: unknown key (did you mean privacy.epsilon?)"),
        (["dataset=diabtes"], "dataset=diabtes: unknown option (did you mean dataset=diabetes?)"),
        (["seed=1,2"], "seed=1,2: several values (add -m for a run of each)"),
        (["seed=[1"], "seed=[1: cannot be read as a value (put quotes around it: 'seed=\"[1\"')"),
        (["--multrun"], "--multrun: unknown flag (did you mean --multirun?)"),
        (["--cfg", "job", "sed=1"], "sed=1: unknown key (did you mean seed?)"),
        (["-m", "hydra/launcher=joblib"], "hydra/launcher=joblib: unknown option (pip install 'assay[joblib]')"),
        (["quikstart"], "quikstart: no override (did you mean experiment=quickstart?)"),
        (["??"], "??: no override (write group=option or key=value)"),
    ],
)
def test_what_hydra_raises_is_one_line_too(fakes: Any, assay: Any, arguments: list[str], line: str) -> None:
    said = assay("run", *arguments)
    assert said.status == 2
    assert said.err.startswith(line)
    assert said.err.count("\n") == 1
    assert files() == []


def test_bad_data_writes_nothing(fakes: Any, assay: Any) -> None:
    fakes.data_error = AssayError("adult: not here (assay data fetch adult)")
    said = assay(*RUN)
    assert (said.status, said.err) == (2, "adult: not here (assay data fetch adult)\n")
    assert files() == []


def test_an_unknown_column_is_refused_before_anything_is_read(fakes: Any, assay: Any) -> None:
    Path("my.csv").write_text("a,b,price\n1,2,3\n")
    own = ("dataset=csv", "dataset.path=my.csv")
    said = assay(*RUN, *own, "dataset.target=prise")
    assert said.status == 2
    assert said.err.startswith("dataset.target=prise: no such column (did you mean 'price'?)")
    assert fakes.prepared == []
    assert files() == ["my.csv"]
    assert assay(*RUN, *own, "dataset.target=price").status == 0


def test_the_content_of_the_users_file_decides_not_its_place(fakes: Any, assay: Any) -> None:
    Path("my.csv").write_text("a,price\n1,3\n")
    Path("moved.csv").write_text("a,price\n1,3\n")
    own = ("dataset=csv", "dataset.target=price")
    first = assay(*RUN, *own, "dataset.path=my.csv")
    assert assay(*RUN, *own, "dataset.path=moved.csv").last == first.last
    Path("my.csv").write_text("a,price\n1,30\n")
    assert assay(*RUN, *own, "dataset.path=my.csv").last != first.last


def test_a_failing_task_is_one_line_status_one_and_has_its_traceback_in_the_log(fakes: Any, assay: Any) -> None:
    fakes.task_error = ZeroDivisionError("by\nnought")
    said = assay(*RUN, "seed=1")
    assert said.status == 1
    assert said.err.count("\n") == 1
    assert said.err.startswith("ZeroDivisionError: by nought (traceback in outputs/runs/value/")
    (log,) = Path("outputs").rglob("run.log")
    assert "in carry_out" in log.read_text()


def test_the_traceback_is_shown_to_who_asks(fakes: Any, assay: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.task_error = ZeroDivisionError("by nought")
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(ZeroDivisionError):
        assay(*RUN, "seed=1")
    with pytest.raises(AssayError, match=r"privacy.delta=2"):
        assay(*RUN, "privacy=iid", "privacy.delta=2")
    with pytest.raises(Exception, match="Could not override 'sed'"):
        assay(*RUN, "sed=2")
    assert os.environ["HYDRA_FULL_ERROR"] == "1"


def test_an_interrupt_is_one_line(fakes: Any, assay: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(fakes, "task_error", KeyboardInterrupt())
    said = assay(*RUN, "seed=1")
    assert said.status == 130
    assert said.err.startswith("interrupted (")
    (status,) = Path("outputs").rglob("status.json")
    assert json.loads(status.read_text())["state"] == "interrupted"


def test_unwritable_outputs_are_one_line(fakes: Any, assay: Any) -> None:
    Path("taken").write_text("a file")
    said = assay(*RUN, "paths.outputs=taken")
    assert said.status == 2
    assert said.err.startswith("paths.outputs=taken: cannot write taken/runs")
    assert said.err.endswith("(write elsewhere: paths.outputs=FOLDER)\n")
    assert files() == ["taken"]


def test_a_full_disk_is_one_line_and_the_earlier_run_is_still_there(
    fakes: Any, assay: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = assay(*RUN)
    from assay.runs import directory

    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(directory, "write_atomically", full)
    said = assay(*RUN, "seed=5")
    assert said.status == 2
    assert said.err.count("\n") == 1
    assert "No space left on device (make room, or write elsewhere: paths.outputs=FOLDER)" in said.err
    again = assay(*RUN)
    assert (again.status, again.out) == (0, earlier.out)


def test_a_logger_gets_a_run_once_for_each_way_it_is_set(fakes: Any, assay: Any) -> None:
    assay(*RUN)
    assert fakes.published == []
    for _ in range(2):
        assay(*RUN, "logger=csv")
    assert [(path.parent.name, logger.name) for path, logger in fakes.published] == [("value", "csv")]
    assay(*RUN, "logger=csv", "logger.save_dir=elsewhere")
    assert len(fakes.published) == 2


def test_the_report_is_built_once_and_named_before_the_run(fakes: Any, assay: Any) -> None:
    for _ in range(2):
        said = assay(*RUN, "report=true", "name=mine")
        assert said.out.splitlines()[-2] == "report: outputs/reports/mine/index.html"
    (reported,) = fakes.reported
    assert reported[1:] == (Path("outputs/reports/mine"), "mine")
    assay(*RUN, "report=true", "name=mine", "seed=1")
    assert len(fakes.reported) == 2
