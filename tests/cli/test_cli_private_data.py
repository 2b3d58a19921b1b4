"""Facts that a private run states about a user's own table: nothing that a guess could be checked against."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from assay.cli import main


def table(path: Path, last: float) -> Path:
    x = np.random.default_rng(0).normal(size=(60, 2))
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": x[:, 0] > 0})
    frame.loc[59, "b"] = last
    frame.to_csv(path, index=False)
    return path


def run(path: Path, keys: str, *choices: str) -> Path:
    arguments = [
        "run",
        "task=value",
        "dataset=csv",
        f"dataset.path={path}",
        "dataset.target=y",
        "valuation.evaluations=2",
    ]
    assert main([*arguments, "valuation.bootstrap=0", f"paths.data={keys}", *choices]) == 0
    return max(Path("outputs/runs/value").glob("[0-9a-f]*"), key=lambda place: place.stat().st_mtime_ns)


def test_nothing_that_a_guess_could_be_checked_against(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = table(tmp_path / "mine.csv", 0.5)
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    open_run = run(path, "keys")
    assert checksum in (open_run / "status.json").read_text()
    private = run(path, "keys", "privacy=iid")
    written = b"".join(file.read_bytes() for file in private.rglob("*") if file.is_file())
    assert checksum.encode() not in written
    names: dict[Any, str] = {("keys", 0.5): private.name}
    for keys, last in [("keys", 0.5), ("keys", 0.75), ("other keys", 0.5)]:
        table(path, last)
        name = run(path, keys, "privacy=iid").name
        assert names.setdefault((keys, last), name) == name  # the same table and key: the same run
    assert len(set(names.values())) == 3
    assert (tmp_path / "keys" / "checksum.key").stat().st_mode & 0o077 == 0
