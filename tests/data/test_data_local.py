"""A user's own table: what is inferred, and the one line for each thing that can be wrong with it."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from data_helpers import columns_of, options, settings

from assay.data import prepare
from assay.data.content import folder_sha256
from assay.data.own.inference import column_types, target_kind
from assay.errors import InputError

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(text: str) -> Path:
        path = tmp_path / "data.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


def rows(*columns: str, count: int = 40) -> str:
    """Rows of cells from format strings in the row number i."""
    return "".join(
        ",".join(column.format(i=i, even=i % 2, third=i % 3) for column in columns) + "\n" for i in range(count)
    )


def test_types_and_classes_are_inferred(table_file: Path, tmp_path: Path) -> None:
    data = prepare(**settings(tmp_path, path=str(table_file), target="label"))
    assert data.kind == "classification"
    assert data.classes == ("no", "yes")
    assert data.modality == "table"
    names = ("age", "height", "city=Bern", "city=Oslo", "city=Rome", "member=False", "member=True")
    assert data.feature_names == names
    assert [len(part) for part in (data.train, data.valid, data.test)] == [36, 12, 12]
    assert data.train.features.dtype == np.float64
    assert data.train.target.dtype == np.int64
    assert data.provenance.provider == "local path"
    assert data.provenance.source == "people.csv"
    assert data.provenance.sha256 == hashlib.sha256(table_file.read_bytes()).hexdigest()


def test_values_arrive_on_the_rows_they_were_on(table_file: Path, tmp_path: Path) -> None:
    plain = settings(tmp_path, path=str(table_file), target="label", preprocess={"standardize": False})
    data = prepare(**plain)
    source = pd.read_csv(table_file)
    for part in (data.train, data.valid, data.test):
        expected = source.iloc[part.ids]
        assert (part.features[:, 0] == expected["age"]).all()
        assert (part.features[:, 3] == (expected["city"] == "Oslo")).all()
        assert (part.target == (expected["label"] == "yes")).all()


def test_parquet_and_csv_give_the_same_arrays(table_file: Path, tmp_path: Path) -> None:
    parquet = tmp_path / "people.parquet"
    pd.read_csv(table_file).to_parquet(parquet)
    assert options("parquet", path=str(parquet), target="label", types={"city": "categorical"}).content is not None
    first = prepare(**settings(tmp_path, path=str(table_file), target="label"))
    second = prepare(**settings(tmp_path, name="parquet", path=str(parquet), target="label"))
    assert (first.train.features == second.train.features).all()
    assert (first.train.target == second.train.target).all()


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_and_a_byte_order_mark(delimiter: str, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    text = "a,b,y\n" + rows("{i}.5", "{third}", "{even}")
    path.write_text("\ufeff" + text.replace(",", delimiter), encoding="utf-8")
    data = prepare(**settings(tmp_path, path=str(path), target="y"))
    assert data.feature_names == ("a", "b")


def test_chosen_columns_and_types_win_over_inference(table_file: Path, tmp_path: Path) -> None:
    given = settings(
        tmp_path, path=str(table_file), target="height", features=["age", "city"], types={"age": "categorical"}
    )
    data = prepare(**given)
    assert data.kind == "regression"
    assert data.classes == ()
    assert all(name.startswith(("age=", "city=")) for name in data.feature_names)
    assert data.valid.target.mean() == pytest.approx(0)
    assert data.valid.target.std() == pytest.approx(1)


def test_text_is_hashed(write: Write, tmp_path: Path) -> None:
    path = write("review,y\n" + rows("row {i} was a {even} film of {third} stars", "{even}"))
    data = prepare(**settings(tmp_path, path=str(path), target="y"))
    assert data.modality == "text"
    assert data.train.features.shape == (24, 16)


@pytest.mark.parametrize("cells", ["{i}", "u{i}x", "1{i}7"])
def test_identifiers_are_left_out_and_said(cells: str, write: Write, tmp_path: Path) -> None:
    path = write("key,a,y\n" + rows(cells, "{third}", "{even}"))
    with pytest.warns(UserWarning, match="column 'key' is left out: 40 distinct values on 40 rows identify rows"):
        data = prepare(**settings(tmp_path, path=str(path), target="y"))
    assert data.feature_names == ("a",)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        prepared = prepare(**settings(tmp_path, path=str(path), target="y", types={"key": "categorical"}))
    assert len(prepared.feature_names) > 2


def test_columns_that_carry_nothing_are_left_out_and_said(write: Write, tmp_path: Path) -> None:
    path = write("a,b,c,y\n" + rows("{i}.5", "7", "", "{even}"))
    data = prepare(**settings(tmp_path, path=str(path), target="y"))
    assert data.feature_names == ("a",)
    assert data.description is not None
    assert data.description.left_out == {"b": "one value only", "c": "no value"}


def test_cells_that_are_lists_are_left_out_and_said(tmp_path: Path) -> None:
    path = tmp_path / "nested.parquet"
    table = pd.DataFrame({"a": range(1, 80, 2), "tags": [[1, 2]] * 40, "y": [0, 1] * 20})
    table["a"] = table["a"] % 7
    table.to_parquet(path)
    with pytest.warns(UserWarning, match="column 'tags' is left out"):
        assert prepare(**settings(tmp_path, name="parquet", path=str(path), target="y")).feature_names == ("a",)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["a", "b"] * 30, "classification"),
        ([True, False] * 30, "classification"),
        ([0, 1] * 30, "classification"),
        ([1.5, 2.5] * 30, "classification"),
        ([1, 2, 3] * 20, "classification"),
        ([1.0, 2.0, 3.0] * 20, "classification"),
        ([0.5, 1.5, 2.5] * 20, "regression"),
        (list(range(60)), "regression"),
        (list(np.linspace(0, 1, 60)), "regression"),
    ],
)
def test_the_kind_of_target_is_inferred(values: list[object], kind: str) -> None:
    assert target_kind(columns_of(pd.DataFrame({"y": values}))["y"], "auto") == kind


def test_types_by_value() -> None:
    table = pd.DataFrame(
        {
            "number": np.linspace(0, 1, 200),
            "count": np.arange(200) % 7,
            "flag": [True, False] * 100,
            "level": ["low", "high"] * 100,
            "many": [f"town {i % 15}" for i in range(200)],
            "words": [f"this is sentence number {i}" for i in range(200)],
            "date": [f"2020-01-{i:03d}" for i in range(200)],
        }
    )
    with pytest.warns(UserWarning, match="'date'"):
        types = column_types(columns_of(table), {"count": "ignore"})
    assert types.used == {
        "number": "numeric",
        "flag": "categorical",
        "level": "categorical",
        "many": "categorical",
        "words": "text",
    }
    assert types.left_out == {"count": "ignored", "date": "identifies rows"}


GOOD = "a,b,y\n" + rows("{i}.5", "{third}", "{even}")

# Each error: the text of the file, changed settings, and what the one line must say.
MISTAKES = {
    "no target named": (GOOD, {"target": None}, "dataset.target=null", "one of a, b, y"),
    "unknown target": (GOOD, {"target": "Y"}, "dataset.target=Y: no such column", "did you mean 'y'?"),
    "unknown feature": (GOOD, {"features": ["a", "bb"]}, "dataset.features=bb: no such column", "did you mean 'b'?"),
    "target as feature": (GOOD, {"features": ["a", "y"]}, "dataset.features=y", "is the target"),
    "no feature": (GOOD, {"features": []}, "dataset.features=[]", "no column is kept"),
    "unknown typed column": (GOOD, {"types": {"c": "numeric"}}, "dataset.types=c: no such column", "(the file has a, b, y)"),
    "unknown type": (GOOD, {"types": {"a": "numerical"}}, "dataset.types.a=numerical", "did you mean numeric?"),
    "all ignored": (GOOD, {"types": {"a": "ignore", "b": "ignore"}}, "dataset.features=none", "no feature column is left"),
    "not a number": ("a,b,y\n" + rows("x{third}", "{third}", "{even}"), {"types": {"a": "numeric"}}, "dataset.types.a", "'x0'"),
    "empty file": ("", {}, "dataset.path", "the file is empty"),
    "no rows": ("a,b,y\n", {}, "dataset.path", "no rows"),
    "blank header": ("\n1,2,3\n", {}, "dataset.path", "first line is empty"),
    "two columns of one name": ("a,a,y\n1,2,0\n", {}, "dataset.path=a", "name of two columns"),
    "missing cell": (GOOD + ",1,1\n,2,0\n", {}, "column 'a' has 2 missing (NaN) values", "dataset.types.a=ignore"),
    "missing category": ("a,b,y\n" + rows("{i}.5", "c{third}", "{even}") + "1,,1\n", {}, "column 'b' has 1 missing", "fill them"),
    "missing target": (GOOD + "1,1,\n", {}, "column 'y' has 1 missing", "fill them or drop those rows"),
    "infinite": (GOOD + "inf,1,1\n-inf,1,0\n", {}, "column 'a' has 2 infinite values", "fill them"),
    "one class": ("a,y\n" + rows("{i}.5", "1"), {}, "dataset.target=y: has one value only (1)", "one class"),
    "only constants": ("b,y\n" + rows("7", "{even}"), {}, "no feature column is left: b (one value only)"),
    "too few rows": (GOOD, {"split": {"train": 30}, "rows": 30}, "dataset.split", "needs 42 rows, the dataset has 30"),
    "too few for rows": (GOOD, {"rows": 41}, "dataset.rows=41", "must be in 1..40"),
    "too many cells": (GOOD + "1,2,3,4\n", {}, "dataset.path", "as many cells as the header"),
    "too many cells on each row": ("a,y\n" + rows("{i}", "{third}", "{even}"), {}, "dataset.path", "as many cells"),
    "words as regression": ("a,y\n" + rows("{i}.5", "k{even}"), {"kind": "regression"}, "dataset.kind=regression", "not numeric"),
    "quantities": ("a,y\n" + rows("{third}", "{i}.5"), {"kind": "classification"}, "dataset.kind", "40 values on 40 rows"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_is_one_line(mistake: str, write: Write, tmp_path: Path) -> None:
    text, changes, *words = MISTAKES[mistake]
    changed = settings(tmp_path, path=str(write(text)), **({"target": "y"} | changes))  # type: ignore[dict-item, operator]
    with pytest.raises(InputError) as caught:
        prepare(**changed)
    line = str(caught.value)
    assert "\n" not in line
    for word in words:
        assert word in line  # type: ignore[operator]


HEADER_MISTAKES = [
    name for name, (_, changes, *_) in MISTAKES.items() if set(changes) <= {"target", "features", "types"}
]
HEADER_MISTAKES = [
    name
    for name in HEADER_MISTAKES
    if name.startswith(("no target", "unknown", "target as", "no feature", "empty", "no rows", "blank", "two columns"))
]


@pytest.mark.parametrize("mistake", HEADER_MISTAKES)
def test_the_header_check_says_the_same_before_loading(mistake: str, write: Write, tmp_path: Path) -> None:
    text, changes, *_ = MISTAKES[mistake]
    path = write(text)
    changed = settings(tmp_path, path=str(path), **({"target": "y"} | changes))  # type: ignore[dict-item, operator]
    with pytest.raises(InputError) as loading:
        prepare(**changed)
    with pytest.raises(InputError) as checking:
        _ = changed["options"].content
    assert str(checking.value) == str(loading.value)


def test_a_missing_file_is_named_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(GOOD)
    for call in (
        lambda path: options(path=path, target="y").content,
        lambda path: options("parquet", path=path, target="y").checksum,
        lambda path: prepare(**settings(tmp_path, path=path, target="y")),
        lambda path: options("magic", path=path).content,
    ):
        with pytest.raises(InputError, match=r"poeple.csv: no such file \(did you mean 'people.csv'\?\)"):
            call(str(tmp_path / "poeple.csv"))
    with pytest.raises(InputError, match=r"^dataset.path=null: dataset=csv needs your data"):
        prepare(**settings(tmp_path, target="y"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("name,y\nJosé,1\n".encode("latin-1"), "is not UTF-8 text at byte 10"),
        (GOOD.encode("utf-16"), "is not UTF-8 text at byte 0"),
        ("name,y\nJosé".encode()[:-1], "ends in the middle of a UTF-8 character"),
        (b"x" * (2**20 - 1) + "é".encode() + b"\xff", f"at byte {2**20 + 1}"),
    ],
)
def test_text_that_is_not_utf8_is_named(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        _ = options(path=str(path), target="y").content
    assert words in str(caught.value)
    assert "save it as UTF-8" in str(caught.value)


def test_a_folder_and_a_false_parquet_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is a folder \(dataset=huggingface reads a saved folder\)"):
        _ = options(path=str(tmp_path), target="y").content
    path = tmp_path / "data.parquet"
    path.write_text("a,y\n1,2\n")
    with pytest.raises(InputError, match="is not a parquet file"):
        _ = options("parquet", path=str(path), target="y").content
    pd.DataFrame({"a": [], "y": []}).to_parquet(path)
    with pytest.raises(InputError, match="has no rows"):
        _ = options("parquet", path=str(path), target="y").content


def test_the_checksum_of_a_folder_sees_names_and_contents(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").write_text("1")
    first = folder_sha256(folder)
    (folder / "a").rename(folder / "b")
    second = folder_sha256(folder)
    (folder / "b").write_text("2")
    assert len({first, second, folder_sha256(folder)}) == 3
    (folder / "b").write_text("1")
    assert folder_sha256(folder) == second
