"""A user's file is opened once in a whole run, and the typed table stands beside the arrays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from data_helpers import options, settings

from assay.data import PreparedData, prepare

COUNT = """
import sys
opened, name = [], sys.argv[1]

def hook(event, arguments):
    if event == "open" and str(arguments[0]).endswith(name):
        opened.append(arguments[0])

sys.addaudithook(hook)
from assay.cli import main

status = main(sys.argv[2:])
print("opened", len(opened), "status", status, "torch", "torch" in sys.modules)
"""


def table(rows: int = 90) -> pd.DataFrame:
    i = np.arange(rows)
    frame = pd.DataFrame({"a": i % 17, "b": (i * 7 % 11) / 4, "city": np.array(["Rome", "Bern", "Oslo"])[i % 3]})
    return frame.assign(y=np.array(["no", "yes"])[(i * i) % 5 % 2])


def run(file: Path, *overrides: str) -> str:
    own = [f"dataset.path={file}", "dataset.target=y", f"paths.outputs={file.parent / 'outputs'}"]
    arguments = ["run", "task=value", *own, "valuation.evaluations=2", "valuation.bootstrap=0", *overrides]
    command = [sys.executable, "-c", COUNT, file.name, *arguments, f"paths.data={file.parent / 'data'}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.parametrize(("form", "privacy"), [("csv", "none"), ("csv", "iid"), ("parquet", "none")])
def test_a_users_file_is_opened_once(form: str, privacy: str, tmp_path: Path) -> None:
    file = tmp_path / f"own.{form}"
    table().to_csv(file, index=False) if form == "csv" else table().to_parquet(file)
    choices = [f"dataset={form}", f"privacy={privacy}"]
    assert run(file, *choices) == "opened 1 status 0 torch True"
    assert run(file, *choices).startswith("opened 1 status 0")  # the finished run


def test_a_file_that_cannot_serve_is_refused_without_torch(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    table().to_csv(file, index=False)
    assert run(file, "dataset=csv", "dataset.features=[none]") == "opened 1 status 2 torch False"


def test_the_bytes_of_a_file_do_not_travel(tmp_path: Path) -> None:
    import pickle

    file = tmp_path / "own.csv"
    table().to_csv(file, index=False)
    given = options(path=str(file), target="y")
    assert given.content is not None
    assert b"Rome" in given.content.file
    copied = pickle.loads(pickle.dumps(given))
    assert copied == given
    assert "content" not in vars(copied)
    file.unlink()
    assert len(given.load(tmp_path)) == 90


@pytest.fixture
def data(tmp_path: Path) -> PreparedData:
    table().to_csv(tmp_path / "own.csv", index=False)
    return prepare(**settings(tmp_path, path=str(tmp_path / "own.csv"), target="y", rows=60))


def test_the_table_has_every_row_with_its_types(data: PreparedData) -> None:
    assert data.table is not None
    assert len(data.table) == 90
    assert [column.name for column in data.table.columns] == ["a", "b", "city", "y"]
    assert [column.type for column in data.table.columns] == ["numeric", "numeric", "categorical", "categorical"]
    assert data.table.target == "y"
    assert data.table.column("y").categories == ("no", "yes")
    valid = table().iloc[data.valid.ids]
    assert data.table.column("a").range == (valid["a"].min(), valid["a"].max())
    assert set(data.table.column("city").categories) == set(valid["city"])
    with pytest.raises(KeyError):
        data.table.column("none")


@pytest.mark.parametrize("part", ["train", "valid", "test"])
def test_the_rows_of_a_part_are_those_of_its_arrays(part: str, data: PreparedData) -> None:
    rows = data.rows(part).rows.to_pandas()
    expected = table().iloc[getattr(data, part).ids].reset_index(drop=True)
    for name in ("a", "b", "city", "y"):
        assert rows[name].tolist() == expected[name].tolist()
    assert (np.array(data.classes)[getattr(data, part).target] == rows["y"]).all()


def test_images_and_numbers_of_named_data_are_in_the_table_too(tmp_path: Path) -> None:
    digits = prepare(**settings(tmp_path, "digits"))
    assert digits.table is not None
    assert digits.table.column("image").shape == (8, 8)
    pixels = np.array(digits.rows("test").rows["image"].to_pylist()) / 255
    raw = prepare(**settings(tmp_path, "digits", preprocess={"standardize": False}))
    assert (pixels == raw.test.features).all()
    diabetes = prepare(**settings(tmp_path, "diabetes"))
    target = diabetes.rows("valid").rows["target"].to_numpy()
    assert ((target - target.mean()) / target.std() == diabetes.valid.target).all()
