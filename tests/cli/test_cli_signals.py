"""The program with workers, ended by signals: no process is left, and the same command goes on to the same bytes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = ["valuation=semivalue", "dataset.rows=120", "valuation.evaluations=60", "progress=false"]


def start(folder: Path, workers: int = 2) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "assay", "run", *COMMAND, f"workers={workers}"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=folder, text=True, start_new_session=True, preexec_fn=take_interrupts, **pipes)


def take_interrupts() -> None:
    """Undoes what a shell does to its background jobs, of which these tests may be one: they ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def family(session: int) -> list[int]:
    """Processes of a session that have not ended."""
    pids = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            pids.append(int(place.name))
    return pids


def workers_of(session: int) -> list[int]:
    return [pid for pid in family(session) if b"popen_loky" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def saved(folder: Path) -> list[Path]:
    return list(folder.glob("outputs/runs/value/*/scratch/**/*.npz"))


def values(folder: Path) -> bytes:
    (file,) = folder.glob("outputs/runs/value/*/values.parquet")
    return file.read_bytes()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("undisturbed")
    process = start(folder, workers=1)
    assert process.communicate()[1] == ""
    return values(folder)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
@pytest.mark.parametrize(
    ("victim", "number", "status", "line"),
    [
        ("parent", signal.SIGTERM, 143, "ended by SIGTERM (the same command goes on"),
        ("parent", signal.SIGINT, 130, "interrupted (the same command goes on"),
        ("parent", signal.SIGKILL, -9, None),
        ("worker", signal.SIGKILL, 1, "workers=2: a worker process was killed"),
    ],
)
def test_a_signal_leaves_nobody_behind_and_the_same_command_goes_on(
    tmp_path: Path, undisturbed: bytes, victim: str, number: int, status: int, line: str | None
) -> None:
    process = start(tmp_path)
    deadline = time.monotonic() + 60
    while not saved(tmp_path):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid if victim == "parent" else workers_of(process.pid)[0], number)
    _, err = process.communicate()
    assert process.returncode == status
    if line is not None:
        assert err.startswith(line)
        assert err.count("\n") == 1
        (file,) = tmp_path.glob("outputs/runs/value/*/status.json")
        assert json.loads(file.read_text())["state"] == "interrupted"
    deadline = time.monotonic() + 10
    while family(process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert family(process.pid) == []
    assert saved(tmp_path)
    again = start(tmp_path)
    assert (again.communicate()[1], again.returncode) == ("", 0)
    assert values(tmp_path) == undisturbed
