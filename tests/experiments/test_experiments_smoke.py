"""Every shipped experiment runs at scale=smoke and leaves a finished run behind."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from assay.cli import main
from assay.config.compose import compose
from assay.config.locations import conf_root
from assay.data.sources.catalogue import CATALOGUE
from assay.data.sources.store import find_archive

EXPERIMENTS = sorted(
    str(path.relative_to(conf_root() / "experiment").with_suffix(""))
    for path in (conf_root() / "experiment").rglob("*.yaml")
    if not path.name.startswith("_")
)


def data_folder(experiment: str, tmp_path: Path) -> Path:
    """An empty folder for data that comes with scikit-learn, else that of the fetched archives; skips where there are none."""
    archives = CATALOGUE[compose([f"experiment={experiment}"]).config["dataset"]["name"]].archives
    if not archives:
        return tmp_path / "data"
    fetched = Path(os.environ.get("ASSAY_DATA") or Path.home() / ".cache/assay")
    if not any(find_archive(archive, fetched) for archive in archives):
        pytest.skip("no archive of its data set (assay data fetch)")
    return fetched


def test_there_are_experiments() -> None:
    assert "quickstart" in EXPERIMENTS


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_the_experiment_runs(
    experiment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["run", f"experiment={experiment}", "scale=smoke", f"paths.data={data_folder(experiment, tmp_path)}"]
    assert main(arguments) == 0
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last.startswith("run: ")
    directory = tmp_path / last.removeprefix("run: ")
    assert json.loads((directory / "status.json").read_text())["state"] == "finished"
    metrics = json.loads((directory / "metrics.json").read_text())
    assert {"seconds", "cpu_seconds", "peak_memory_mb"} <= set(metrics)
    before = (directory / "metrics.json").stat().st_mtime_ns
    assert main(arguments) == 0
    assert (directory / "metrics.json").stat().st_mtime_ns == before
