"""The program as a user starts it, on real data: killed and resumed, and returned when it is finished."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [
    "experiment=quickstart",
    "scale=smoke",
    "report=false",
    "task.reference_evaluations=100",
    "trainer.checkpoint_seconds=0",
]
TIMES = ("seconds", "cpu_seconds", "peak_memory_mb")


def start(folder: Path) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "assay", "run", *COMMAND]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run_of(folder: Path) -> Path:
    (status,) = (folder / "outputs" / "runs" / "quickstart").glob("*/status.json")
    return status.parent


def record(folder: Path) -> dict[str, object]:
    """Every number of the run, times aside."""
    run = run_of(folder)
    assert json.loads((run / "status.json").read_text())["state"] == "finished"
    metrics = json.loads((run / "metrics.json").read_text())
    tables = {file.name: file.read_bytes() for file in run.glob("*.parquet") if file.name != "costs.parquet"}
    return {**tables, "metrics": {name: value for name, value in metrics.items() if name.split("/")[-1] not in TIMES}}


def without_forecasts(err: str) -> list[str]:
    """Lines of stderr but those on long work, which it may be on a busy machine."""
    return [line for line in err.splitlines() if not line.startswith("valuing: about ")]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    process = start(folder)
    out, err = process.communicate()
    assert (process.returncode, without_forecasts(err)) == (0, [])
    assert out.splitlines()[-1] == f"run: {run_of(folder).relative_to(folder)}"
    return folder


def test_killed_in_the_middle_then_the_same_command(undisturbed: Path, tmp_path: Path) -> None:
    killed = start(tmp_path)
    begin = time.monotonic()
    while not list(tmp_path.glob("outputs/runs/quickstart/*/scratch/*")):
        assert killed.poll() is None, "finished before its first checkpoint"
        assert time.monotonic() - begin < 60
        time.sleep(0.01)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert json.loads((run_of(tmp_path) / "status.json").read_text())["state"] == "running"
    resumed = start(tmp_path)
    _, err = resumed.communicate()
    assert (resumed.returncode, without_forecasts(err)) == (0, [])
    assert record(tmp_path) == record(undisturbed)
    assert not (run_of(tmp_path) / "scratch").exists()


def test_a_finished_run_comes_back_without_torch(undisturbed: Path) -> None:
    code = (
        "import sys; from assay.cli import main\n"
        f"status = main(['run', *{COMMAND!r}])\n"
        "print(status, [name for name in ('torch', 'pandas', 'sklearn', 'datasets') if name in sys.modules])"
    )
    before = {file: file.stat().st_mtime_ns for file in undisturbed.rglob("*")}
    done = subprocess.run([sys.executable, "-c", code], cwd=undisturbed, capture_output=True, text=True, check=True)
    *_, run, last = done.stdout.splitlines()
    assert run == f"run: {run_of(undisturbed).relative_to(undisturbed)}"
    assert last == "0 []"
    assert {file: file.stat().st_mtime_ns for file in undisturbed.rglob("*")} == before


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        ("privacy=iid privacy.delta=2", "privacy.delta=2: must be between 0 and 1, both excluded ("),
        ("privacy=iid privacy.burn_in=0.3", "privacy.burn_in=0.3: privacy=iid has no such key ("),
        ("privacy=iid valuation=semivalue", "privacy=iid: valuation=semivalue accounts for no release"),
        ("model=cnn dataset=wine", "model=cnn: reads images"),
        ("task=party_value", "dataset.sources.count=0: the rows have no sources"),
        ("task=federated", "dataset.sources.count=0: the rows have no sources"),
        ("task=label_noise", "dataset.corruption=none: no row"),
        ("task=law_theory dataset=diabetes", "dataset=diabetes: has no population"),
        ("task=selection_curve dataset.split.test=0", "dataset.split.test=0: task=selection_curve scores"),
        ("dataset=csv dataset.path=none.csv dataset.target=y", "dataset.path=none.csv: no such file"),
        ("logger=lightning", "logger.target=null: needs the class"),
        ("privacy=lower_triangular privacy.matrix=no.npy", "privacy.matrix=no.npy: "),
    ],
)
def test_a_refusal_comes_before_torch_and_leaves_nothing(overrides: str, line: str, tmp_path: Path) -> None:
    code = (
        "import sys; from assay.cli import main\n"
        f"status = main(['run', *{overrides.split()!r}])\n"
        "print(status, [name for name in ('torch', 'pandas', 'sklearn', 'datasets') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr.startswith(line)
    assert done.stdout == "2 []\n"
    assert done.stderr.count("\n") == 1
    assert os.listdir(tmp_path) == []  # noqa: PTH208
