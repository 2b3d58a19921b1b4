"""Notes printed beside a table, so that its numbers are not taken for more than they are."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from assay.cli import main

SMALL = [
    "run",
    "task=value",
    "dataset=diabetes",
    "dataset.split={train: 30, valid: 60, test: 20}",
    "valuation.evaluations=6",
]


def printed(capsys: pytest.CaptureFixture[str], tmp_path: Path, *choices: str) -> str:
    assert main([*SMALL, f"paths.data={tmp_path / 'data'}", *choices]) == 0
    return capsys.readouterr().out


def test_values_come_with_their_meaning_and_a_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = printed(capsys, tmp_path)
    assert "id: position of the row in its source, from 0" in said
    assert "of 30 values lie below 0 by their interval" in said
    assert "private:" not in said
    (file,) = re.findall(r"in full:\s+(\S+)", said)
    rows = list(csv.DictReader(Path(file).read_text().splitlines()))
    assert len(rows) == 30
    below = sum(float(row["ci_high"]) < 0 for row in rows)
    assert f"{below} of 30 values lie below 0" in said


@pytest.mark.parametrize(
    ("secure", "words"), [("true", "secure noise"), ("false", "seeded noise: no guarantee to who knows the seed")]
)
def test_a_private_run_says_under_which_guarantee(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secure: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    said = printed(capsys, tmp_path, "privacy=iid", "privacy.epsilon=3", f"privacy.secure_noise={secure}")
    assert f"private: epsilon 3, delta 1e-05, zero_out neighbours, {words}" in " ".join(said.split())
