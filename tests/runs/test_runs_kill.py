"""Killed at any moment and started again, or started twice: the finished run is that of an undisturbed one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# A run of 40 checkpointed steps; STOP makes the process kill itself at a named place.
WORKER = """
import json, os, signal, sys, time
from pathlib import Path
import pandas as pd
from assay.runs import Outcome, execute
from assay.runs import directory
from assay.runs.directory import write_atomically

root, stop, pause = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
inner = directory.write_atomically

def write(path, content):
    if stop == "before " + path.name:
        os.kill(os.getpid(), signal.SIGKILL)
    if stop == "during " + path.name:
        path.with_name("." + path.name + ".partial").write_bytes(content[: len(content) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    if path.name == "status.json" and b'"finished"' in content and stop == "before closing":
        os.kill(os.getpid(), signal.SIGKILL)
    inner(path, content)
    if path.name == "status.json" and b'"finished"' in content and stop == "after closing":
        os.kill(os.getpid(), signal.SIGKILL)

directory.write_atomically = write
sys.modules["assay.runs.attempt"]._COST_SECONDS = 0.1

def work(context):
    file = context.parts.folder / "steps.json"
    sums = json.loads(file.read_text()) if file.exists() else []
    handle = context.progress.task("steps", 40)
    while len(sums) < 40:
        draw = context.streams.generator("step", len(sums)).normal()
        sums.append(draw + (sums[-1] if sums else 0.0))
        write_atomically(file, json.dumps(sums).encode())
        print("step", len(sums), flush=True)
        if stop == f"step {len(sums)}":
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(pause)
        handle.advance()
    return Outcome({"last": sums[-1]}, {"sums": pd.DataFrame({"step": range(40), "sum": sums})})

config = {"name": "killed", "seed": 0, "progress": True, "paths": {"outputs": "outputs"}}
result = execute(config, work, root)
print("fresh" if result.fresh else "found", flush=True)
"""


def start(root: Path, stop: str = "-", pause: float = 0.0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WORKER, str(root), stop, str(pause)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def numbers(root: Path) -> tuple[dict[str, Any], bytes]:
    """Metrics without the times, and the bytes of the table."""
    (place,) = (entry for entry in (root / "killed").iterdir() if entry.is_dir())
    assert json.loads((place / "status.json").read_text())["state"] == "finished"
    assert sorted(entry.name for entry in place.iterdir()) == [
        "config.yaml",
        "headline.json",
        "metrics.json",
        "run.log",
        "status.json",
        "sums.parquet",
    ]
    lines = (place / "metrics.json").read_text().splitlines()
    times = ('"seconds"', '"cpu_seconds"', '"peak_memory_mb"')
    return {"lines": [line for line in lines if not line.strip().startswith(times)]}, (
        place / "sums.parquet"
    ).read_bytes()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], bytes]:
    root = tmp_path_factory.mktemp("undisturbed")
    assert start(root).communicate()[0].endswith("fresh\n")
    return numbers(root)


@pytest.mark.parametrize(
    "stop",
    [
        "before status.json",
        "before config.yaml",
        "step 17",
        "during sums.parquet",
        "before metrics.json",
        "during metrics.json",
        "before closing",
        "after closing",
    ],
)
def test_killed_at_a_named_place_then_the_same_command(
    tmp_path: Path, stop: str, undisturbed: tuple[dict[str, Any], bytes]
) -> None:
    killed = start(tmp_path, stop)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    said = start(tmp_path).communicate()[0]
    if stop == "step 17":
        assert said.startswith("step 18\n")  # what came before the kill is not done again
    if stop == "after closing":
        assert said == "found\n"
    assert numbers(tmp_path) == undisturbed


def test_of_two_processes_one_works_and_the_other_waits(
    tmp_path: Path, undisturbed: tuple[dict[str, Any], bytes]
) -> None:
    first = start(tmp_path, pause=0.1)
    assert first.stdout is not None
    assert first.stdout.readline() == "step 1\n"
    second = start(tmp_path)
    out, err = second.communicate()
    first_out, first_err = first.communicate()
    assert first_out.endswith("fresh\n")
    assert first_err == ""
    assert out == "found\n"
    assert f"process {first.pid} on " in err
    assert "has it since" in err
    assert err.rstrip().endswith("; waiting for it")
    assert numbers(tmp_path) == undisturbed


def test_the_one_that_waits_takes_over_from_a_killed_one(
    tmp_path: Path, undisturbed: tuple[dict[str, Any], bytes]
) -> None:
    first = start(tmp_path, pause=0.2)
    assert first.stdout is not None
    assert first.stdout.readline() == "step 1\n"
    second = start(tmp_path)
    assert second.stderr is not None
    assert second.stderr.readline().rstrip().endswith("; waiting for it")
    first.kill()
    first.communicate()
    out, _ = second.communicate()
    assert out.endswith("fresh\n")
    assert numbers(tmp_path) == undisturbed


def test_what_an_interrupted_attempt_cost_is_carried(tmp_path: Path) -> None:
    killed = start(tmp_path, pause=0.05)
    assert killed.stdout is not None
    while killed.stdout.readline() != "step 25\n":
        assert killed.poll() is None
    killed.kill()
    killed.communicate()
    (place,) = (entry for entry in (tmp_path / "killed").iterdir() if entry.is_dir())
    noted = json.loads((place / "scratch" / "cost.json").read_text())["seconds"]
    assert noted >= 1.0  # 24 pauses, less what came after the last note
    start(tmp_path).communicate()
    assert noted < json.loads((place / "metrics.json").read_text())["seconds"] < noted + 10
