"""The total of a table over runs, from the shell: a sweep is charged as a whole, before its first run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.cli import main

RELEASE = ["run", "task=value", "valuation=private_semivalue", "dataset=diabetes", "dataset.split.train=12"]
SECURE = ["privacy.secure_noise=true", "privacy.table=mine", "privacy.epsilon=1", "privacy.total=2", "privacy.paths=2"]


def test_a_sweep_is_charged_before_its_first_run_or_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSAY_DATA", str(tmp_path / "data"))
    ledger = tmp_path / "data/tables/mine.jsonl"
    assert main([*RELEASE, "-m", "seed=0,1,2", *SECURE]) == 2
    line = capfd.readouterr().err
    assert line.startswith("privacy.total=2: table mine has epsilon 0 spent in ")
    assert line.count("\n") == 1
    assert not list(tmp_path.rglob("status.json"))
    assert not ledger.exists()
    assert main([*RELEASE, "-m", "seed=0,1", *SECURE]) == 0
    assert [json.loads(entry)["epsilon"] for entry in ledger.read_text().splitlines()] == [1.0, 1.0]
    assert main([*RELEASE, "-m", "seed=0,1", *SECURE]) == 0  # finished runs are returned, and cost nothing
    assert main([*RELEASE, "seed=3", *SECURE]) == 2
    assert main([*RELEASE, "seed=0", "rerun=true", *SECURE]) == 2  # a secure release is never made again for free
    assert len(ledger.read_text().splitlines()) == 2
    rehearsal = [each for each in SECURE if not each.startswith("privacy.secure_noise")]
    assert main([*RELEASE, "seed=3", *rehearsal]) == 0
    assert len(ledger.read_text().splitlines()) == 2
