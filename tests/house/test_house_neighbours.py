"""Neighbouring tables through the whole command: nothing published depends on a private cell but the noised numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import assay

NOISED = ["value", "std_error", "ci_low", "ci_high", "pi_low", "pi_high", "noise_low", "noise_high", "noise_half_width"]
ROWS = 60
SPLIT = ["dataset.split={train: 20, valid: 30, test: 10}", "valuation.evaluations=3", "valuation.bootstrap=3"]
PRIVACY = ["directed", "iid", "running_mean_burn_in"]


def table(kind: str) -> pd.DataFrame:
    """Rows with numbers, categories and a target."""
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"a": generator.normal(size=ROWS).round(3), "b": generator.normal(size=ROWS).round(3)})
    frame["c"] = generator.choice(["red", "green", "blue"], ROWS)
    score = frame["a"] + (frame["c"] == "red") + 0.3 * generator.normal(size=ROWS)
    frame["y"] = score.round(3) if kind == "regression" else np.where(score > 0.3, "yes", "no")
    return frame


def private_row(frame: pd.DataFrame, folder: Path, kind: str) -> int:
    """A row of the train split, by its published id."""
    return int(release(frame, folder / "first", kind, "directed")["values.csv"]["id"].iloc[3])


def release(frame: pd.DataFrame, folder: Path, kind: str, privacy: str) -> dict[str, pd.DataFrame]:
    """The files of a release: tables, and texts as tables of one cell."""
    folder.mkdir(parents=True)
    frame.to_csv(folder / "own.csv", index=False)
    own = ["dataset=csv", f"dataset.path={folder / 'own.csv'}", "dataset.target=y", f"paths.data={folder / 'data'}"]
    chosen = ["task=value", "valuation=private_semivalue", f"privacy={privacy}", "privacy.secure_noise=true"]
    result = assay.run([*chosen, *own, *SPLIT], outputs=folder / "outputs")
    assert result.directory is not None
    files = sorted((result.directory / "release").iterdir())
    return {
        file.name: pd.read_csv(file) if file.suffix == ".csv" else pd.DataFrame({"text": [file.read_text()]})
        for file in files
    }


def changed(frame: pd.DataFrame, row: int, how: str, kind: str) -> pd.DataFrame:
    """The neighbouring table: one row without cells, or one cell or one target that is another."""
    other = frame.copy()
    if how == "row":
        other = other.astype(object)
        other.loc[row] = [None] * len(other.columns)
    elif how == "cell":
        other.loc[row, "a"] = 1e6
    elif how == "category":
        other.loc[row, "c"] = "seen nowhere else"
    else:
        other.loc[row, "y"] = 99.0 if kind == "regression" else ("no" if other.loc[row, "y"] == "yes" else "yes")
    return other


@pytest.mark.parametrize("privacy", PRIVACY)
@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_published_bytes_are_those_of_every_neighbour(kind: str, privacy: str, tmp_path: Path) -> None:
    frame = table(kind)
    row = private_row(frame, tmp_path, kind)
    plain = release(frame, tmp_path / "plain", kind, privacy)
    assert not plain["values.csv"]["value"].isna().any()
    for how in ("row", "cell", "category", "label"):
        other = release(changed(frame, row, how, kind), tmp_path / how, kind, privacy)
        assert list(other) == list(plain)
        pd.testing.assert_frame_equal(other["STATEMENT.md"], plain["STATEMENT.md"])
        assert list(other["values.csv"]) == list(plain["values.csv"])
        drop = [column for column in NOISED if column in plain["values.csv"]]
        pd.testing.assert_frame_equal(
            other["values.csv"].drop(columns=drop), plain["values.csv"].drop(columns=drop), check_exact=True
        )


def test_published_ids_say_nothing_of_labels(tmp_path: Path) -> None:
    """The attack of who knows every other label: under a stratified split the count of a class gives the last one away."""
    generator = np.random.default_rng(1)
    from assay.config import compose
    from assay.experiment import prepared

    right = 0
    for seed in range(40):
        frame = pd.DataFrame({"a": generator.normal(size=41), "y": generator.integers(0, 2, 41)})
        file = tmp_path / f"own-{seed}.csv"
        frame.to_csv(file, index=False)
        own = ["dataset=csv", f"dataset.path={file}", "dataset.target=y", "dataset.kind=classification"]
        data = prepared(
            compose([*own, "privacy=directed", "dataset.split={train: 20, valid: 11, test: 10}", f"seed={seed}"])
        )
        ids = data.train.ids
        target = int(ids[0])
        others = frame["y"].to_numpy()[ids[1:]]
        share = frame["y"].drop(target).mean()
        guess = int(len(ids) * share - others.sum() > 0.5)  # what stratification would have needed
        right += guess == int(frame["y"][target])
    assert 9 <= right <= 31  # 20 of 40 by chance, 3.5 standard errors
