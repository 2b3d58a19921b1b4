"""Advice on a user's table stands on the terminal alone: nothing of it is in a release, and a private run gives less."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from assay.cli import main

N = np.arange(120)
ADVICE = (
    "differ in case",
    "dataset.na",
    "is a category like others",
    "read as numbers",
    "class 'rare'",
    "A34",
    "$7,107",
)
SECRET = ("A34", "a34", "None", "rare", "in several units")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table that calls for every piece of advice."""
    monkeypatch.chdir(tmp_path)
    labels = np.where(N % 2, "no", "yes").astype(object)
    labels[5] = "rare"
    frame = pd.DataFrame({"a": N * 37 % 101 / 8, "c": [("A34", "a34", "B", "None")[n % 4] for n in N]})
    frame["price"] = [f"${n},{100 + n}" for n in N]
    frame["mixed"] = [f"{n} {'kg' if n % 2 else 'g'}" for n in N]
    frame.assign(y=labels).to_csv(tmp_path / "own.csv", index=False)
    return tmp_path / "own.csv"


def run(*choices: str) -> int:
    own = ["dataset=csv", "dataset.path=own.csv", "dataset.target=y", "valuation.evaluations=2"]
    return main(["run", "task=value", *own, "valuation.bootstrap=0", *choices])


def test_advice_is_given_before_the_run(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    said = capfd.readouterr().err
    for words in ADVICE[:5]:
        assert words in said
    assert "column 'mixed' is left out: its numbers are in several units (g and kg)" in said


@pytest.mark.parametrize("choices", [["privacy.secure_noise=true"], []])
def test_nothing_of_it_is_in_a_release(choices: list[str], file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    own = ["dataset=csv", "dataset.path=own.csv", "dataset.target=y", "privacy.epsilon=4"]
    assert main(["run", "task=value", "valuation=private_semivalue", *own, *choices]) == 0
    said = capfd.readouterr().err
    assert "class 'rare'" not in said
    assert "differ in case" not in said
    (directory,) = Path("outputs/runs/value").glob("[0-9a-f]*")
    released = [*directory.glob("release/*"), *directory.glob("rehearsal/*")]
    assert released
    for published in released:
        content = published.read_bytes()
        for words in (*ADVICE, *SECRET):
            assert words.encode() not in content, published.name
    status = json.loads((directory / "status.json").read_text())
    assert "rows" not in status
    assert not any(words in json.dumps(status) for words in ADVICE)


def test_a_message_of_several_faults_ends_with_the_whole_command(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    frame = pd.read_csv(file, dtype=str)
    frame.loc[N % 5 == 0, "price"] = "on request"
    frame.loc[N % 7 == 0, "a"] = ""
    frame.to_csv(file, index=False)
    assert run() == 2
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 4
    start = "  the whole command: assay run task=value dataset=csv dataset.path=own.csv dataset.target=y"
    assert lines[-1].startswith(start)
    assert lines[-1].endswith("""'dataset.na=['"'"'on request'"'"']' dataset.missing=drop""")
    assert not Path("outputs").exists()
    import shlex

    assert main(shlex.split(lines[-1].removeprefix("  the whole command: assay "))) == 0
    assert "read as numbers: price" in capfd.readouterr().err
