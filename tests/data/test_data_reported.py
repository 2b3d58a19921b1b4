"""Small tables that other readers are reported to get wrong: 60 rows of two numbers, a colour and a target."""

from __future__ import annotations

import gzip
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pytest
from data_helpers import settings

from assay.data import PreparedData, prepare
from assay.data.own.description import cautions, summary
from assay.errors import InputError

N = np.arange(60)


def base(**columns: Any) -> pd.DataFrame:
    """Two numbers and further columns."""
    draw = np.random.default_rng(0)
    return pd.DataFrame({"a": draw.normal(size=60).round(3), "b": draw.normal(size=60).round(3), **columns})


def turns(*cells: str) -> list[str]:
    """Cells by turns, each of three rows in a row."""
    return [cells[n // 3 % len(cells)] for n in N]


def read(table: pd.DataFrame, folder: Path, target: str = "y", **given: Any) -> PreparedData:
    path = folder / "own.csv"
    table.to_csv(path, index=False)
    return opened(path, folder, "csv", target, **given)


def opened(path: Path, folder: Path, option: str, target: str, **given: Any) -> PreparedData:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return prepare(**settings(folder, option, path=str(path), target=target, **given))


def targets(data: PreparedData) -> dict[int, str]:
    """The class of each row by its id."""
    parts = (data.train, data.valid, data.test)
    return {int(row): data.classes[label] for part in parts for row, label in zip(part.ids, part.target, strict=True)}


def line(call: Any) -> str:
    with pytest.raises(InputError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_codes_of_a_target_are_four_classes(tmp_path: Path) -> None:
    codes = turns("01", "1", "02", "2")
    data = read(base(y=codes), tmp_path)
    assert data.classes == ("01", "02", "1", "2")
    assert targets(data) == dict(enumerate(codes))


def test_codes_of_a_column_are_two_categories(tmp_path: Path) -> None:
    data = read(base(zip=turns("02116", "2116", "10001"), y=N % 2), tmp_path)
    assert data.feature_names[2:] == ("zip=02116", "zip=10001", "zip=2116")


def test_none_is_a_class_or_a_missing_label_as_the_user_says(tmp_path: Path) -> None:
    labels = turns("None", "Insomnia", "Apnea")
    table = base(disorder=labels)
    data = read(table, tmp_path, "disorder")
    assert data.classes == ("Apnea", "Insomnia", "None")
    assert targets(data) == dict(enumerate(labels))
    assert "dataset.na=[None] reads it as missing" in cautions(data)[0]
    said = line(lambda: read(table, tmp_path, "disorder", na=["None"]))
    assert "column 'disorder' has 21 missing (NaN) values" in said
    dropped = read(table, tmp_path, "disorder", na=["None"], missing="drop")
    assert targets(dropped) == {row: label for row, label in enumerate(labels) if label != "None"}


def test_none_is_a_category(tmp_path: Path) -> None:
    data = read(base(alcohol=turns("None", "low", "high"), y=N % 2), tmp_path)
    assert data.feature_names[2:] == ("alcohol=None", "alcohol=high", "alcohol=low")


@pytest.mark.parametrize(("text", "remedy"), [("unknown", "dataset.na=[unknown]"), ("?", "dataset.na=[?]")])
def test_one_text_in_a_third_of_a_numeric_column_is_said_with_the_remedy(
    text: str, remedy: str, tmp_path: Path
) -> None:
    table = base(y=N % 2)
    table["b"] = [text if n % 10 < 3 else str(value) for n, value in enumerate(table["b"])]
    said = line(lambda: read(table, tmp_path))
    assert f"18 of 60 cells are no numbers, e.g. '{text}'" in said
    assert remedy in said
    data = read(table, tmp_path, na=[text], missing="drop")
    assert data.feature_names == ("a", "b")
    assert len(targets(data)) == 42


def saved(folder: Path, parts: Mapping[str, Mapping[str, Any]], features: datasets.Features) -> Path:
    """A folder that `save_to_disk` wrote; of several parts, or of the one without a name."""
    made = {name: datasets.Dataset.from_dict(dict(part), features=features) for name, part in parts.items()}
    whole = made[""] if "" in made else datasets.DatasetDict(made)
    whole.save_to_disk(str(folder / "saved"))
    return folder / "saved"


def labelled(rows: int, labels: Any) -> dict[str, Any]:
    n = np.arange(rows)
    return {"a": (n * 37 % 101 / 8).tolist(), "colour": (n % 3).tolist(), "label": list(labels)}


FEATURES = datasets.Features(
    {
        "a": datasets.Value("float32"),
        "colour": datasets.ClassLabel(names=["red", "green", "blue"]),
        "label": datasets.ClassLabel(names=["neg", "pos"]),
    }
)


def test_label_minus_one_is_no_label(tmp_path: Path) -> None:
    labels = [-1 if n % 5 == 0 else n % 2 for n in range(60)]
    folder = saved(tmp_path, {"": labelled(60, labels)}, FEATURES)
    said = line(lambda: opened(folder, tmp_path, "huggingface", "label"))
    assert "column 'label' has 12 missing (NaN) values (fill them or drop those rows with dataset.missing=drop)" in said
    data = opened(folder, tmp_path, "huggingface", "label", missing="drop")
    assert targets(data) == {n: ("neg", "pos")[n % 2] for n in range(60) if n % 5}
    assert data.feature_names == ("a", "colour=blue", "colour=green", "colour=red")


def test_an_official_test_part_without_labels_is_not_scored(tmp_path: Path) -> None:
    parts = {"train": labelled(60, N % 2), "test": labelled(20, [-1] * 20)}
    data = opened(saved(tmp_path, parts, FEATURES), tmp_path, "huggingface", "label")
    assert set(targets(data)) == set(range(60))
    assert len(data.test) == 12
    assert any("the 20 rows of the official test part have no label" in each for each in summary(data))


def test_an_official_test_part_without_the_target_is_not_scored(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    train = datasets.Dataset.from_dict(labelled(60, N % 2), features=FEATURES)
    test = datasets.Dataset.from_dict(labelled(20, [0] * 20), features=FEATURES).remove_columns("label")
    datasets.DatasetDict({"train": train, "test": test}).save_to_disk(str(folder))
    data = opened(folder, tmp_path, "huggingface", "label")
    assert set(targets(data)) == set(range(60))
    assert any("the official test part has no column 'label'" in each for each in summary(data))


@pytest.mark.parametrize("empty", ["train", "test"])
def test_an_empty_part_is_said(empty: str, tmp_path: Path) -> None:
    parts = {"train": labelled(60, N % 2), "test": labelled(20, [0, 1] * 10)} | {empty: labelled(0, [])}
    folder = saved(tmp_path, parts, FEATURES)
    if empty == "train":
        assert "no part has rows (train)" in line(lambda: opened(folder, tmp_path, "huggingface", "label"))
    else:
        data = opened(folder, tmp_path, "huggingface", "label")
        assert "  parts without rows: test" in summary(data)
        assert set(targets(data)) == set(range(60))


@pytest.mark.parametrize("rare", ["rare", "0"])
def test_a_class_of_one_row_is_said_with_the_parts_that_lack_it(rare: str, tmp_path: Path) -> None:
    labels = ["x" if n % 2 else "y" for n in N]
    labels[7] = rare
    said = cautions(read(base(y=labels), tmp_path))
    assert said[0] == (
        f"warning: class {rare!r} has 1 row: none in valid and test (add rows of it, or leave it out with dataset.classes)"
    )


def test_a_compressed_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(base(c=turns("green", "red"), y=N % 2).to_csv(index=False).encode()))
    assert opened(path, tmp_path, "csv", "y").feature_names == ("a", "b", "c=green", "c=red")


def test_what_is_no_single_value_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "own.parquet"
    base(y=[[1]] * 60).to_parquet(path)
    assert "the cells of 'y' are lists" in line(lambda: opened(path, tmp_path, "parquet", "y"))
    base(photo=[b"x"] * 60, y=N % 2).to_parquet(path)
    assert "column 'photo' holds bytes" in line(lambda: opened(path, tmp_path, "parquet", "y"))
    data = opened(path, tmp_path, "parquet", "y", types={"photo": "ignore"})
    assert data.feature_names == ("a", "b")


def test_a_stored_index_is_listed(tmp_path: Path) -> None:
    path = tmp_path / "own.parquet"
    base(y=N % 2).drop(index=[3, 9]).to_parquet(path)
    data = opened(path, tmp_path, "parquet", "y")
    assert data.description is not None
    assert data.description.left_out == {"__index_level_0__": "index of the file"}
    wanted = opened(path, tmp_path, "parquet", "y", types={"__index_level_0__": "numeric"})
    assert wanted.feature_names == ("a", "b", "__index_level_0__")
