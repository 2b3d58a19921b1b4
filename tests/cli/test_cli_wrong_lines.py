"""Hundreds of wrong command lines: each one line, exit status 2, nothing left behind, no torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.cli.wrong_choices import FILES
from tests.cli.wrong_lines import wrong_lines

LONGEST = 200

# All lines in one process, which says for each its status, its output, the files left, and whether torch came.
RUNNER = """
import contextlib, io, json, sys
from pathlib import Path
from assay.cli import main

answers, before = [], {str(path) for path in Path().rglob("*")}
for line in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(line)
    left = sorted({str(path) for path in Path().rglob("*")} - before)
    before |= set(left)
    answers.append([status, out.getvalue(), err.getvalue(), left, "torch" in sys.modules])
json.dump(answers, sys.stdout)
"""


def environment(folder: Path) -> dict[str, str]:
    """No account, no GPU in sight, and folders of the test's own."""
    left_out = ("WANDB_API_KEY", "HYDRA_FULL_ERROR", "NOTHING")
    plain = {name: value for name, value in os.environ.items() if name not in left_out}
    places = {"ASSAY_OUTPUTS": "outputs", "ASSAY_DATA": "data", "NETRC": str(folder / "no_netrc")}
    return {**plain, **places, "ASSAY_OFFLINE": "1"}


def lines() -> list[list[str]]:
    with_gpu = Path("/dev/nvidiactl").exists()
    no_gpu = {"trainer=gpu", "trainer.accelerator=cuda"}
    return [line for line in wrong_lines() if not with_gpu or not no_gpu & set(line)]


def answers(lines: list[list[str]], folder: Path) -> list[Any]:
    for name, content in FILES.items():
        (folder / name).write_text(content)
    command, given = [sys.executable, "-c", RUNNER], json.dumps(lines)
    done = subprocess.run(command, cwd=folder, env=environment(folder), input=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return list(json.loads(done.stdout))


def check(lines: list[list[str]], folder: Path) -> None:
    """Every line: status 2, one line of at most LONGEST characters, nothing printed, no file left, no torch."""
    wrong = [
        (" ".join(line)[:200], answer)
        for line, answer in zip(lines, answers(lines, folder), strict=True)
        if answer[:2] != [2, ""] or answer[2].count("\n") != 1 or not 10 < len(answer[2]) <= LONGEST or any(answer[3:])
    ]
    assert wrong == []


def test_a_tenth_of_the_wrong_lines(tmp_path: Path) -> None:
    check(lines()[::10], tmp_path)


@pytest.mark.slow
def test_every_wrong_line(tmp_path: Path) -> None:
    assert len(lines()) >= 1000
    check(lines(), tmp_path)


@pytest.mark.parametrize("place", [0, -1])
def test_the_program_exits_with_the_status(tmp_path: Path, place: int) -> None:
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    command = [sys.executable, "-m", "assay", *lines()[place]]
    done = subprocess.run(command, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)
