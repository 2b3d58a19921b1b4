"""assay from Python gives what the shell gives, and writes nothing unless it is asked to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import assay
from assay.errors import InputError

SPLIT = {"train": 16, "valid": 24, "test": 20}
SHELL = [f"dataset.split.{part}={size}" for part, size in SPLIT.items()]


@pytest.fixture
def frame() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    table = pd.DataFrame({"size": generator.normal(size=60).astype(np.float32), "colour": ["red", "blue, or so"] * 30})
    return table.assign(bought=np.where(table["size"] + 0.2 * generator.normal(size=60) > 0, "yes", "no"))


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_a_frame_gives_the_bytes_of_the_same_table_as_a_file(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.to_csv(tmp_path / "own.csv", index=False)
    own = ["task=value", "dataset=csv", f"dataset.path={tmp_path / 'own.csv'}", "dataset.target=bought", *SHELL]
    shell = assay.run(own, outputs=tmp_path / "outputs")
    python = assay.value(frame, target="bought", split=SPLIT)
    pd.testing.assert_frame_equal(python.values, shell.values, check_exact=True)
    apart = assay.value(frame.drop(columns="bought"), frame["bought"], split=SPLIT)
    pd.testing.assert_frame_equal(apart.values, shell.values, check_exact=True)
    assert python.directory is None
    assert list(Path().iterdir()) == []
    assert shell.directory is not None
    assert assay.results(tmp_path / "outputs")["fingerprint"].tolist() == [shell.directory.name]


def test_arrays_are_a_frame_with_plain_names(frame: pd.DataFrame) -> None:
    features, target = frame[["size"]].to_numpy(), (frame["bought"] == "yes").to_numpy().astype(int)
    arrays = assay.value(features, target, split=SPLIT)
    named = assay.value(pd.DataFrame(features, columns=["x1"]).assign(target=target), target="target", split=SPLIT)
    pd.testing.assert_frame_equal(arrays.values, named.values, check_exact=True)


def test_any_estimator_may_be_the_model(frame: pd.DataFrame) -> None:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.neighbors import KNeighborsClassifier

    small: dict[str, Any] = {"target": "bought", "split": {"train": 8, "valid": 24, "test": 20}}
    forest = assay.value(
        frame, model=RandomForestClassifier(n_estimators=3), overrides=["valuation.evaluations=2"], **small
    )
    named = assay.value(
        frame,
        model="sklearn",
        method="semivalue",
        overrides=[
            "model.estimator=sklearn.ensemble.RandomForestClassifier",
            "model.arguments={n_estimators: 3}",
            "valuation.evaluations=2",
        ],
        **small,
    )
    assert len(forest.values) == 8
    pd.testing.assert_frame_equal(forest.values, named.values, check_exact=True)
    other = assay.value(frame, model=KNeighborsClassifier(2), overrides=["valuation.evaluations=2"], **small)
    assert not other.values["value"].equals(forest.values["value"])


def test_values_under_privacy_say_what_they_spent(frame: pd.DataFrame) -> None:
    result = assay.value(frame, target="bought", split=SPLIT, privacy="directed")
    assert result.status["noise"] == "seeded"
    assert 0 < result.status["epsilon"] <= 8.0


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"X": np.zeros(3), "y": [0, 1, 0]}, "X=(3,): must have rows and columns"),
        ({"X": np.zeros((3, 1)), "y": [0, 1]}, "y=(2,): must have a value for each of the 3 rows"),
        ({"X": np.zeros((3, 1))}, "target=None: names no column of X"),
        ({"X": pd.DataFrame({"a": [1.0]}), "y": [1], "target": "a"}, "target=a: is a column of X already"),
        ({"X": np.ones((60, 2)), "y": [0, 1] * 30, "model": "forest"}, "model=forest: unknown option"),
        ({"X": np.ones((60, 2)), "y": [0, 1] * 30, "model": object()}, "model.estimator="),
    ],
)
def test_a_mistake_is_one_line(arguments: dict[str, Any], line: str) -> None:
    with pytest.raises(InputError) as caught:
        assay.value(**arguments)
    assert str(caught.value).startswith(line)
    assert list(Path().iterdir()) == []


def test_a_frame_needs_python(capsys: pytest.CaptureFixture[str]) -> None:
    from assay.cli import main

    assert main(["run", "dataset=frame", "dataset.target=y"]) == 2
    assert "is for frames from Python" in capsys.readouterr().err


def test_importing_assay_imports_nothing_heavy() -> None:
    import subprocess
    import sys

    code = (
        "import sys, assay; print([m for m in ('torch', 'numpy', 'pandas', 'hydra', 'omegaconf') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
