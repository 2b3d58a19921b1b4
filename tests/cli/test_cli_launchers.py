"""Launchers of hydra's, where they are installed: the same runs to the byte, and one line for a cell that fails."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

LAUNCHERS = {"joblib": "joblib", "ray": "ray", "submitit_local": "submitit"}
COMMAND = ["valuation=scaling_law", "dataset.rows=80", "valuation.evaluations=20"]


def installed(plugin: str) -> bool:
    if importlib.util.find_spec("hydra_plugins") is None:
        return False
    return importlib.util.find_spec(f"hydra_plugins.hydra_{plugin}_launcher") is not None


def sweep(folder: Path, *overrides: str) -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "assay", "run", "-m", *COMMAND, *overrides]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def values(folder: Path) -> dict[str, bytes]:
    return {file.parent.name: file.read_bytes() for file in folder.glob("outputs/runs/value/*/values.parquet")}


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_launcher_gives_the_same_runs_and_finished_ones_start_nothing(tmp_path: Path, launcher: str) -> None:
    if not installed(LAUNCHERS[launcher]):
        pytest.skip(f"hydra/launcher={launcher} is not installed")
    here = sweep(tmp_path / "here", "seed=0,1")
    there = sweep(tmp_path / "there", "seed=0,1", f"hydra/launcher={launcher}")
    assert (here.returncode, there.returncode) == (0, 0)
    assert values(tmp_path / "there") == values(tmp_path / "here")
    assert len(values(tmp_path / "here")) == 2
    assert there.stdout.count("run: ") == 2
    again = sweep(tmp_path / "there", "seed=0,1", f"hydra/launcher={launcher}")
    assert "starts" not in again.stderr
    assert again.stdout.count("run: ") == 2


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_launcher_that_is_not_installed_is_one_line(tmp_path: Path, launcher: str) -> None:
    if installed(LAUNCHERS[launcher]):
        pytest.skip(f"hydra/launcher={launcher} is installed")
    said = sweep(tmp_path, "seed=0,1", f"hydra/launcher={launcher}")
    assert (said.returncode, said.stdout) == (2, "")
    assert said.stderr.startswith(f"hydra/launcher={launcher}: unknown option (pip install 'assay[")
    assert list(tmp_path.iterdir()) == []
