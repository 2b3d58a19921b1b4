"""Hydra's own flags keep working."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

RUN = ("run", "task=value", "valuation.evaluations=4")


def runs(out: str) -> list[str]:
    return [line for line in out.splitlines() if line.startswith("run: ")]


def test_a_sweep_prints_a_directory_for_each_job(fakes: Any, assay: Any) -> None:
    said = assay(*RUN, "-m", "seed=0,1", "privacy=none,iid")
    assert (said.status, said.err) == (0, "")
    assert len(set(runs(said.out))) == 4
    assert [(config["seed"], config["privacy"]["name"]) for config in fakes.carried] == [
        (0, "none"),
        (0, "iid"),
        (1, "none"),
        (1, "iid"),
    ]
    assert {path.parts[1] for path in Path().rglob("*") if len(path.parts) > 1} == {"runs", "multirun"}
    assert [path.name for path in Path().iterdir()] == ["outputs"]


def test_finished_jobs_of_a_sweep_are_not_done_again(fakes: Any, assay: Any) -> None:
    assay(*RUN, "seed=1")
    said = assay(*RUN, "--multirun", "seed=0,1,2")
    assert [config["seed"] for config in fakes.carried] == [1, 0, 2]
    assert len(runs(said.out)) == 3


def test_a_bad_job_of_a_sweep_says_so_and_the_others_are_done(fakes: Any, assay: Any) -> None:
    fakes.task_error = ZeroDivisionError("by nought")
    said = assay(*RUN, "-m", "seed=0,1,2,-1")
    assert said.status == 2
    assert [config["seed"] for config in fakes.carried] == [0, 2]
    assert [line.partition(":")[0] for line in said.err.splitlines()] == ["ZeroDivisionError", "seed=-1"]


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
