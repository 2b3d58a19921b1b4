"""A user's own table that is not clean: missing cells, numbers written for people, other encodings; and what is said of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pytest
from data_helpers import columns_of, options, settings

from assay.data import PreparedData, prepare
from assay.data.own.description import cautions, facts, summary
from assay.data.own.inference import column_types, target_kind
from assay.errors import InputError


def table(rows: int = 60) -> pd.DataFrame:
    """Two numbers, a category, an identifier and two classes."""
    i = np.arange(rows)
    return pd.DataFrame(
        {
            "who": [f"C{100 + n}" for n in i],
            "Age (years)": 20 + i % 37,
            "income": i * 0.5,
            "city": np.array(["Rome", "Bern", "Oslo"])[i % 3],
            "y": np.array(["no", "yes"])[i % 2],
        }
    )


def holes() -> pd.DataFrame:
    frame = table()
    frame.loc[[0, 5, 6], "income"] = np.nan
    frame.loc[[6, 20], "city"] = None
    frame.loc[[59], "y"] = None
    return frame


def prepared(frame: pd.DataFrame, folder: Path, **changes: Any) -> PreparedData:
    path = folder / "own.csv"
    frame.to_csv(path, index=False)
    types = {"who": "ignore", **changes.pop("types", {})}
    return prepare(**settings(folder, path=str(path), target="y", types=types, **changes))


def ids(data: PreparedData) -> list[int]:
    return sorted(np.concatenate([data.train.ids, data.valid.ids, data.test.ids]).tolist())


def line(call: Any) -> str:
    with pytest.raises(InputError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_column_with_missing_cells_is_named_at_once(tmp_path: Path) -> None:
    assert line(lambda: prepared(holes(), tmp_path)) == (
        "dataset.path=own.csv: column 'income' has 3 missing (NaN) values, 'city' 2, 'y' 1 (fill them, drop those rows"
        " with dataset.missing=drop, or leave a column out with dataset.types.income=ignore)"
    )
    frame = table()
    frame.loc[3, "Age (years)"] = np.nan
    assert "with 'dataset.types.Age (years)=ignore')" in line(lambda: prepared(frame, tmp_path))


def test_rows_with_missing_cells_are_dropped_and_the_others_keep_their_positions(tmp_path: Path) -> None:
    data = prepared(holes(), tmp_path, missing="drop", preprocess={"standardize": False})
    assert ids(data) == [row for row in range(60) if row not in (0, 5, 6, 20, 59)]
    for part in (data.train, data.valid, data.test):
        assert (part.features[:, 1] == part.ids * 0.5).all()
        assert (part.target == part.ids % 2).all()
    assert data.description is not None
    assert (data.description.rows, data.description.incomplete) == (60, 5)


def test_a_column_that_is_left_out_costs_no_row(tmp_path: Path) -> None:
    data = prepared(holes(), tmp_path, missing="drop", types={"income": "ignore"})
    assert ids(data) == [row for row in range(60) if row not in (6, 20, 59)]
    assert ids(prepared(table(), tmp_path, missing="drop")) == list(range(60))


def test_dropping_mends_neither_infinity_nor_an_empty_column(tmp_path: Path) -> None:
    frame = holes()
    frame.loc[30, "income"] = np.inf
    assert "column 'income' has 1 infinite values" in line(lambda: prepared(frame, tmp_path, missing="drop"))
    halves = table()
    halves.loc[halves.index < 30, "income"] = np.nan
    halves.loc[halves.index >= 30, "city"] = None
    said = line(lambda: prepared(halves, tmp_path, missing="drop"))
    assert said.startswith("dataset.missing=drop: every row has a missing cell")
    assert "dataset.types.income=ignore" in said


def test_the_official_parts_of_a_folder_stay_apart_when_rows_are_dropped(tmp_path: Path) -> None:
    frame = holes().drop(columns="who").iloc[:40]
    parts = {"train": frame, "test": frame.iloc[:10]}
    path = tmp_path / "saved"
    datasets.DatasetDict(
        {name: datasets.Dataset.from_pandas(part, preserve_index=False) for name, part in parts.items()}
    ).save_to_disk(str(path))
    split = {"train": 0.6, "valid": 0.2, "test": 0.2}
    data = prepare(**settings(tmp_path, "huggingface", path=str(path), target="y", split=split, missing="drop"))
    assert set(data.test.ids) == {41, 42, 43, 44, 47, 48, 49}
    assert set(ids(data)) - set(data.test.ids) == set(range(40)) - {0, 5, 6, 20}


STRAYS = {
    "Swiss": ([f"1'{n}00.5" for n in range(1, 10)] * 6 + ["?"] * 6, "6 of 60 cells are no numbers, e.g. '?'", False),
    "a mark": (["?"] * 12 + [f"{n}.5" for n in range(48)], "12 of 60 cells are no numbers, e.g. '?'", True),
    "30 %": (["unknown"] * 18 + [f"{n}.5" for n in range(42)], "18 of 60 cells are no numbers, e.g. 'unknown'", True),
    "two marks": (["?", "-"] * 6 + [f"${n}.5" for n in range(48)], "e.g. '?', 2 different texts", True),
    "few values": (["3+"] * 12 + ["1", "2", "0", "2"] * 12, "12 of 60 cells are no numbers, e.g. '3+'", False),
    "many words": ([f"w{n}" for n in range(12)] + [f"{n}.5" for n in range(48)], "12 different texts", False),
}


@pytest.mark.parametrize("case", STRAYS)
def test_numbers_with_a_few_texts_are_neither_categories_nor_identifiers(case: str) -> None:
    cells, words, by_na = STRAYS[case]
    frame = pd.DataFrame({"x": np.arange(60) % 7, "net income": cells})
    (fault,) = column_types(columns_of(frame), {}, "own.csv").faults
    assert fault.limit.startswith("column 'net income' is nearly numeric: ")
    assert words in fault.limit
    assert "'dataset.types.net income=categorical' or =ignore" in fault.remedy
    assert bool(fault.na) == by_na
    assert ("dataset.missing=drop" in fault.mends) == by_na
    types = column_types(columns_of(frame), {"net income": "categorical"})
    assert (types.used, types.faults) == ({"x": "numeric", "net income": "categorical"}, [])


@pytest.mark.parametrize(
    "cells",
    [
        ["x"] * 13 + [f"{n % 5}" for n in range(47)],  # 78 % of few values
        [f"00{n % 5}" for n in range(60)],  # codes
        [f"{n % 25:02}001" for n in range(60)],  # codes of which most have no leading zero
        ["a", "b"] * 30,
        ["$", "-"] * 30,
        [True, None] * 30,
        ["1.2.3", "1.2.4"] * 30,
        ["1 kg", "2 g", "3 kg"] * 20,
    ],
)
def test_what_is_no_number_is_a_category(cells: list[Any]) -> None:
    assert column_types(columns_of(pd.DataFrame({"a": cells})), {}).used == {"a": "categorical"}


def test_a_target_of_unclean_numbers_is_no_set_of_classes() -> None:
    cells = [f"${n},000" for n in range(1, 46)] + ["unknown"] * 15
    prices = columns_of(pd.DataFrame({"price": cells}))["price"]
    for kind in ("auto", "regression"):
        said = line(lambda kind=kind: target_kind(prices, kind))
        assert "'price' is nearly numeric: 15 of 60 cells are no numbers, e.g. 'unknown'" in said
        assert "dataset.na=[unknown] with dataset.missing=drop" in said
    assert target_kind(columns_of(pd.DataFrame({"y": ["1", "2", "3+"] * 20}))["y"], "auto") == "classification"
    clean = columns_of(pd.DataFrame({"y": cells[:45]}))["y"]
    assert target_kind(clean, "auto") == "regression"


def test_texts_that_differ_on_nearly_every_row_are_no_classes() -> None:
    names = columns_of(pd.DataFrame({"y": [f"name {n}" for n in range(60)]}))["y"]
    assert "60 different texts on 60 rows are no classes" in line(lambda: target_kind(names, "auto"))
    mixed = columns_of(pd.DataFrame({"y": [f"{n} {'kg' if n % 2 else 'g'}" for n in range(60)]}))["y"]
    assert "its numbers are in several units (g and kg)" in line(lambda: target_kind(mixed, "auto"))
    assert target_kind(columns_of(pd.DataFrame({"y": list("abcdefghij") * 6}))["y"], "auto") == "classification"


def test_a_split_without_test_rows_has_empty_arrays(tmp_path: Path) -> None:
    split = {"train": 0.7, "valid": 0.3, "test": 0}
    frame = table().assign(words=[f"there were {n % 9} rows in {n} files" for n in range(60)])
    data = prepared(frame, tmp_path, split=split)
    assert [len(part) for part in (data.train, data.valid, data.test)] == [42, 18, 0]
    assert data.test.features.shape == (0, data.train.features.shape[1])
    assert data.test.target.shape == (0,)
    for name in ("diabetes", "digits"):
        assert len(prepare(**settings(tmp_path, name, split=split)).test) == 0


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "UTF8"])
def test_a_file_in_another_encoding_is_read(encoding: str, tmp_path: Path) -> None:
    frame = table().drop(columns="who").rename(columns={"city": "ville"}).replace({"Oslo": "Orléans"})
    path = tmp_path / "own.csv"
    frame.to_csv(path, index=False, encoding=encoding)
    data = prepare(**settings(tmp_path, path=str(path), target="y", encoding=encoding))
    assert data.feature_names[-3:] == ("ville=Bern", "ville=Orléans", "ville=Rome")


@pytest.mark.parametrize(
    ("written", "read", "words"),
    [
        (
            "latin-1",
            "utf-8",
            "is not UTF-8 text at byte 10 (name its encoding, e.g. dataset.encoding=cp1252, or save it",
        ),
        ("utf-16", "utf-8", "is not UTF-8 text at byte 0 (name its encoding, e.g. dataset.encoding=utf-16, or save it"),
        ("latin-1", "ascii", "is not ASCII text at byte 10"),
        ("utf-8", "utf-16", "UTF-16"),
    ],
)
def test_a_file_that_is_not_in_its_encoding_names_the_key(written: str, read: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_bytes("name,y\nJosé,1\n".encode(written))
    said = line(lambda: options(path=str(path), target="y", encoding=read).content)
    assert words in said
    assert "dataset.encoding" in said


def test_only_a_close_name_is_suggested(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("a,y\n1,2\n")
    near, far = (options(path=str(tmp_path / name), target="y") for name in ("custmers.csv", "consumer_data.csv"))
    assert "did you mean 'customers.csv'?" in line(lambda: near.content)
    assert "give the path from the current folder" in line(lambda: far.content)


def test_a_path_may_begin_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    table().to_csv(tmp_path / "own.csv", index=False)
    assert len(prepare(**settings(tmp_path, path="~/own.csv", target="y", types={"who": "ignore"})).train) == 36


def test_the_summary_says_target_columns_and_rows(tmp_path: Path) -> None:
    frame = holes().assign(words=[f"there were {n % 9} rows in {n} files" for n in range(60)])
    path = tmp_path / "own.csv"
    frame.to_csv(path, index=False)
    chosen = settings(tmp_path, path=str(path), target="y", missing="drop", types={"income": "ignore"})
    with pytest.warns(UserWarning, match="column 'who' is left out: 60 distinct values on 60 rows"):
        data = prepare(**chosen)
    assert summary(data) == [
        "own.csv: target y (classification: no, yes)",
        "  numeric: Age (years)",
        "  categorical: city",
        "  text: words",
        "  left out: who (identifies rows), income (ignored); dataset.types.COLUMN=TYPE decides otherwise",
        "  3 of 60 rows dropped for a missing cell (dataset.missing=drop)",
        "  57 rows: 34 train (valued), 12 valid (held back to judge by), 11 test",
        "  ids in the results are row positions from 0: the first data row is 0",
    ]
    (caution,) = cautions(data)
    assert caution.startswith("warning: valid holds 12 rows only")
    open_facts, private_facts = facts(data, private=False), facts(data, private=True)
    assert open_facts == {
        "columns": {
            "target": "y",
            "kind": "classification",
            "classes": ["no", "yes"],
            "numeric": ["Age (years)"],
            "categorical": ["city"],
            "text": ["words"],
            "left_out": {"who": "identifies rows", "income": "ignored"},
        },
        "rows": {"read": 60, "incomplete": 3, "train": 34, "valid": 12, "test": 11},
    }
    assert private_facts == {"columns": open_facts["columns"]}


def test_the_summary_of_chosen_columns_a_subsample_and_a_quantity(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    table(300).to_csv(path, index=False)
    data = prepare(**settings(tmp_path, path=str(path), target="income", features=["city"], rows=200))
    said = summary(data)
    assert said[0] == "own.csv: target income (regression)"
    assert "who (not in dataset.features)" in said[2]
    assert said[3] == "  200 of 300 rows: 120 train (valued), 40 valid (held back to judge by), 40 test"
    assert cautions(data) == []


def test_nothing_is_said_of_data_that_is_not_the_users(tmp_path: Path) -> None:
    data = prepare(**settings(tmp_path, "wine", split={"train": 100, "valid": 10, "test": 0}))
    assert (summary(data), cautions(data), facts(data, private=False)) == ([], [], {})
