"""Hydra's own flags keep working."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

RUN = ("run", "task=value", "valuation.evaluations=4")


def runs(out: str) -> list[str]:
    return [line for line in out.splitlines() if line.startswith("run: ")]


def test_a_sweep_prints_a_directory_for_each_job(fakes: Any, assay: Any) -> None:
    said = assay(*RUN, "-m", "seed=0,1", "privacy=none,iid")
    assert said.status == 0
    assert len(set(runs(said.out))) == 4
    assert [(config["seed"], config["privacy"]["name"]) for config in fakes.carried] == [
        (0, "none"),
        (0, "iid"),
        (1, "none"),
        (1, "iid"),
    ]
    assert {path.parts[1] for path in Path().rglob("*") if len(path.parts) > 1} == {"runs"}
    assert [path.name for path in Path().iterdir()] == ["outputs"]


def test_finished_jobs_of_a_sweep_are_not_done_again(fakes: Any, assay: Any) -> None:
    assay(*RUN, "seed=1")
    said = assay(*RUN, "--multirun", "seed=0,1,2")
    assert [config["seed"] for config in fakes.carried] == [1, 0, 2]
    assert len(runs(said.out)) == 3


def test_a_failing_job_of_a_sweep_says_so_and_the_others_are_done(fakes: Any, assay: Any) -> None:
    fakes.task_error = ZeroDivisionError("by nought")
    said = assay(*RUN, "-m", "seed=0,1,2", "progress=false")
    assert said.status == 1
    assert [config["seed"] for config in fakes.carried] == [0, 2]
    assert said.err.startswith("[2/3] seed=1: ZeroDivisionError: by nought (traceback in outputs/runs/value/")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("cells", "line"),
    [
        (["seed=0,-1"], "cell 2 of 2 (seed=-1): seed=-1: must be from 0 to 2^63 - 1 (e.g. seed=0)"),
        (["seed=0,x"], "cell 2 of 2 (seed=x): seed=x: must be a whole number, not the text 'x' (e.g. seed=10)"),
        (
            ["seed=0,1", "privacy=none,iid", "privacy.epsilon=1"],
            "cell 1 of 4 (seed=0 privacy=none): privacy.epsilon=1: privacy=none has no such key",
        ),
        (["seed=0,1", "privacy=none,nonsense"], "cell 2 of 4 (seed=0 privacy=nonsense): privacy=nonsense: unknown"),
        (["seed=range(20000)"], "-m: 20000 runs, and a sweep has 10000 at most (sweep fewer values at a time)"),
        (["seed=range(0)"], "seed=range(0): names no value (name one, or leave the key out)"),
        (["hydra.sweep.dir=x", "seed=0,1"], "hydra.sweep.dir=x: runs lie below paths.outputs"),
    ],
)
def test_a_wrong_cell_is_named_before_the_first_is_carried_out(
    fakes: Any, assay: Any, cells: list[str], line: str
) -> None:
    said = assay(*RUN, "-m", *cells)
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith(line)
    assert said.err.count("\n") == 1
    assert fakes.carried == []
    assert list(Path().iterdir()) == []


def test_a_sweep_says_how_far_it_is_and_ends_with_one_table(fakes: Any, assay: Any) -> None:
    assay(*RUN, "seed=1")
    said = assay(*RUN, "-m", "privacy=none,iid", "seed=0,1")
    lines = said.err.splitlines()
    assert lines[0] == "sweep over privacy and seed: 4 runs, 1 finished before, 3 to do"
    assert lines[1] == "[1/4] privacy=none seed=0"
    assert lines[2].startswith("[3/4] privacy=iid seed=0, about ")
    assert lines[2].endswith(" s left")
    assert lines[-1].endswith(": 3 done, 1 finished before, 0 failed")
    table = said.out.splitlines()[4:]
    assert table[0] == "the sweep, averaged over seeds"
    assert table[1].split() == ["privacy", "runs", "draw", "seconds"]
    assert [line.split()[:2] for line in table[3:5]] == [["none", "2"], ["iid", "2"]]
    quiet = assay(*RUN, "-m", "privacy=none,iid", "seed=0,1", "progress=false")
    assert quiet.err == ""
    assert len(fakes.carried) == 4


def test_a_sweep_over_seeds_ends_with_their_mean(fakes: Any, assay: Any) -> None:
    said = assay(*RUN, "-m", "seed=0,1")
    rows = [line.split() for line in said.out.splitlines()[2:] if line]
    assert rows[1][:2] == ["seed", "draw"]
    assert [row[0] for row in rows[3:]] == ["0", "1", "mean"]
    draws = [float(row[1]) for row in rows[3:]]
    assert draws[2] == pytest.approx((draws[0] + draws[1]) / 2, abs=0.01)


def test_cells_composed_from_one_reading_are_those_that_hydra_composes() -> None:
    from assay.config.cells import cells_of
    from assay.config.compose import checked, raw, register_resolvers
    from assay.config.overrides import readable

    register_resolvers()
    line = [
        "experiment=quickstart",
        "scale=smoke,laptop",
        "privacy=public_clip,running_mean_burn_in",
        "task.evaluations=[2],[2,4]",
        "seed=3",
    ]
    cells = cells_of([readable(each) for each in line])
    assert len(cells) == 8
    for cell in cells:
        alone = checked(raw(list(cell.overrides)))
        assert (alone.config, alone.option) == (cell.choices.config, cell.choices.option)


def test_the_log_of_every_job_of_a_sweep_is_written(fakes: Any, assay: Any) -> None:
    said = assay(*RUN, "-m", "seed=0,1")
    for line in runs(said.out):
        assert "a library says so" in (Path(line.removeprefix("run: ")) / "run.log").read_text()


def test_cfg_job_prints_the_config_and_carries_nothing_out(fakes: Any, assay: Any) -> None:
    said = assay("run", "--cfg", "job", "--resolve", "experiment=quickstart", "scale=smoke")
    config = yaml.safe_load(said.out)
    assert said.status == 0
    assert config["task"]["evaluations"] == [4, 8]
    assert "hydra" not in config
    assert list(Path().iterdir()) == []


def test_a_folder_of_own_options(fakes: Any, assay: Any) -> None:
    Path("mine/privacy").mkdir(parents=True)
    Path("mine/privacy/strict.yaml").write_text("defaults: [iid]\nepsilon: 1\n")
    said = assay(*RUN, "--config-dir", "mine", "privacy=strict")
    assert said.status == 0
    assert fakes.carried[0]["privacy"]["epsilon"] == 1.0
    wrong = assay(*RUN, "--config-dir", "mine", "privacy=strict", "privacy.epslon=1")
    assert wrong.err == "privacy.epslon=1: unknown key (did you mean privacy.epsilon?)\n"
    missing = assay(*RUN, "--config-dir", "nowhere")
    assert missing.status == 2
    assert "nowhere' not found" in missing.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--hydra-help"], "--multirun"),
        (["--info", "searchpath"], "/conf"),
        (["--cfg", "hydra"], "multirun"),
        (["--shell-completion", "install=bash"], "hydra_bash_completion assay"),
        (["--help"], "assay run experiment=quickstart"),
    ],
)
def test_flags_answer(fakes: Any, assay: Any, arguments: list[str], expected: str) -> None:
    said = assay("run", *arguments)
    assert said.status == 0
    assert expected in said.out
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("assay run privacy=r", "privacy=running_mean privacy=running_mean_burn_in"),
        ("assay run datas", "dataset. dataset="),
        ("assay run privacy=iid privacy.eps", "privacy.epsilon="),
    ],
)
def test_completion_knows_options_and_keys(
    fakes: Any, assay: Any, monkeypatch: pytest.MonkeyPatch, line: str, expected: str
) -> None:
    monkeypatch.setenv("COMP_LINE", line)
    assert assay("-sc", "query=bash").out.strip() == expected


def test_completion_of_another_command_is_left_alone(fakes: Any, assay: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMP_LINE", "assay report datas")
    assert assay("-sc", "query=bash").out.strip() == ""


def test_a_reader_that_has_read_enough_is_no_failure(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "assay", "run", "task=value", "dataset=wine", "valuation.evaluations=2"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 0
    (status,) = tmp_path.glob("outputs/runs/value/*/status.json")
    assert '"finished"' in status.read_text()
