"""Every shipped experiment runs at scale=smoke, on stand-ins for archives, and leaves a finished run behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.cli import main
from assay.config.locations import conf_root
from assay.report.known import claims_of, papers
from assay.report.placeholders import filled_claim
from assay.report.reading import read_run

EXPERIMENTS = sorted(
    str(path.relative_to(conf_root() / "experiment").with_suffix(""))
    for path in (conf_root() / "experiment").rglob("*.yaml")
    if not path.name.startswith("_")
)


CLAIMS = [claim for paper in papers() for claim in claims_of(paper).claims]


def test_there_are_experiments() -> None:
    assert "quickstart" in EXPERIMENTS


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_the_experiment_runs(
    experiment: str,
    stand_ins: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["run", f"experiment={experiment}", "scale=smoke", f"paths.data={stand_ins}"]
    assert main(arguments) == 0
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last.startswith("run: ")
    directory = tmp_path / last.removeprefix("run: ")
    assert json.loads((directory / "status.json").read_text())["state"] == "finished"
    metrics = json.loads((directory / "metrics.json").read_text())
    assert {"seconds", "cpu_seconds", "peak_memory_mb"} <= set(metrics)
    record = read_run(directory)
    claims = [filled_claim(claim, record.config) for claim in CLAIMS if claim.experiment == experiment]
    plain = [claim for claim in claims if not any(key.startswith("task") for key in claim.settings)]
    names = {name for claim in plain for name in (claim.metric, claim.minus) if name is not None}
    few = {name for name in names if name.startswith("boundary/")}  # needs 8 well-fitted rows of a class
    assert names - few <= set(metrics)  # at the smallest scale too a claim can be judged
    before = (directory / "metrics.json").stat().st_mtime_ns
    assert main(arguments) == 0
    assert (directory / "metrics.json").stat().st_mtime_ns == before
