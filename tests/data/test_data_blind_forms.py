"""Private runs on tables with units, dates, codes and owners: one private cell changes its own row alone, in any notation."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pytest
from data_helpers import settings

from assay.data import PreparedData, prepare
from assay.data.neighbours import CHANGES, Change, NothingToChangeError
from assay.errors import InputError

N = np.arange(60)


def table() -> pd.DataFrame:
    """Texts that are numbers in a notation, codes, booleans, words for missing cells, owners."""
    return pd.DataFrame(
        {
            "weight": [f"{n * 7 % 50} kg" for n in N],
            "price": [f"${n},{100 + n}.50" for n in N],
            "when": [f"2020-{n % 12 + 1:02}-{n % 28 + 1:02}" for n in N],
            "count": [str(n * n % 41) for n in N],
            "zip": [("2116", "7001", "8001")[n % 3] for n in N],
            "code": [("01", "1", "2")[n % 3] for n in N],
            "flag": [("true", "false")[n % 2] for n in N],
            "word": [("None", "low", "high")[n % 3] for n in N],
            "clinic": [("north", "south")[n // 30] for n in N],
            "y": [("no", "yes")[n % 2] for n in N],
        }
    ).astype(object)


def prepared(frame: pd.DataFrame, folder: Path, **changes: Any) -> PreparedData:
    path = folder / "own.csv"
    frame.to_csv(path, index=False)
    given = {"path": str(path), "target": "y", "split": {"train": 0.5, "valid": 0.3, "test": 0.2}, **changes}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return prepare(**settings(folder, blind=True, **given))


def same_but_for(row: int, one: PreparedData, other: PreparedData) -> None:
    """Everything is equal, to the byte, but one row."""
    for name in ("kind", "classes", "feature_names", "source_names", "description", "taken_as_public"):
        assert getattr(one, name) == getattr(other, name), name
    for part in ("train", "valid", "test"):
        a, b = getattr(one, part), getattr(other, part)
        assert a.ids.tobytes() == b.ids.tobytes()
        others = a.ids != row
        assert a.features[others].tobytes() == b.features[others].tobytes()
        assert a.target[others].tobytes() == b.target[others].tobytes()
        assert np.isfinite(b.features).all()
        if a.source is not None:
            assert a.source.tobytes() == b.source.tobytes()


CELLS = ("", "NA", "None", "007", "12,5", "5 lb", "€7", "31/12/1999", "12345678901234567", "TRUE", "-999", "?", "1e3")


@pytest.mark.parametrize("column", ["weight", "price", "when", "count", "zip", "code", "flag", "word", "y"])
def test_a_private_cell_in_any_notation_changes_its_own_row_alone(column: str, tmp_path: Path) -> None:
    given = {"owner": "clinic", "na": ["-999"], "types": {"zip": "categorical", "flag": "numeric"}}
    plain = prepared(table(), tmp_path, **given)
    assert plain.source_names == ("north", "south")
    for row in (int(plain.train.ids[0]), int(plain.test.ids[0])):
        for text in CELLS:
            frame = table()
            frame.loc[row, column] = text
            same_but_for(row, plain, prepared(frame, tmp_path, **given))


def test_notations_are_those_of_the_public_rows(tmp_path: Path) -> None:
    """Private rows in pounds do not make the column text: they become the public mean."""
    frame = table()
    plain = prepared(frame, tmp_path)
    valid = set(plain.valid.ids.tolist())
    private = [n for n in N if n not in valid]
    frame.loc[private, "weight"] = [f"{n} lb" for n in private]
    data = prepared(frame, tmp_path, preprocess={"standardize": False})
    assert data.feature_names == plain.feature_names
    mean = np.mean([n * 7 % 50 for n in valid])
    assert data.train.features[:, 0] == pytest.approx(mean)
    assert data.description is not None
    assert plain.description is not None
    assert data.description.notes == plain.description.notes


def test_a_fault_of_public_rows_says_nothing_of_private_ones(tmp_path: Path) -> None:
    frame = table()
    valid = prepared(frame, tmp_path).valid.ids
    frame.loc[valid[:5], "count"] = "?"
    messages = set()
    for other in ("9", "x", "??"):
        changed = frame.copy()
        changed.loc[[n for n in N if n not in set(valid.tolist())], "count"] = other
        with pytest.raises(InputError) as caught:
            prepared(changed, tmp_path)
        messages.add(str(caught.value))
    assert len(messages) == 1
    assert "5 of 18 cells are no numbers, e.g. '?'" in messages.pop()


def test_a_label_minus_one_of_a_private_row_changes_its_own_row_alone(tmp_path: Path) -> None:
    features = datasets.Features({"a": datasets.Value("float32"), "y": datasets.ClassLabel(names=["neg", "pos"])})

    def saved(name: str, **labels: int) -> PreparedData:
        y = [labels.get(f"row{n}", int(n % 2)) for n in N]
        folder = tmp_path / name
        datasets.Dataset.from_dict({"a": (N * 37 % 101 / 8).tolist(), "y": y}, features=features).save_to_disk(folder)
        return prepare(**settings(tmp_path, "huggingface", path=str(folder), target="y", blind=True))

    plain = saved("plain")
    for row in (int(plain.train.ids[0]), int(plain.test.ids[0])):
        same_but_for(row, plain, saved(f"without{row}", **{f"row{row}": -1}))


@pytest.mark.parametrize("value", ["text", 7, True, [1], {"k": 1}, None, 2**70])
def test_a_private_value_of_any_kind_in_json_changes_its_own_row_alone(value: Any, tmp_path: Path) -> None:
    def read(**others: Any) -> PreparedData:
        records: list[dict[str, Any]] = [
            {
                "a": n / 8 % 3,
                "n": int(n * 7 % 41),
                "c": ["u", "v"][n % 2],
                "l": [int(n % 3)],
                "b": bool(n % 3),
                "y": "pq"[n % 2],
            }
            for n in N
        ]
        for key, cell in others.items():
            records[row][key] = cell
        (tmp_path / "own.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records))
        return prepare(**settings(tmp_path, "jsonl", path=str(tmp_path / "own.jsonl"), target="y", blind=True))

    row = 0
    plain = read()
    row = int(plain.train.ids[0])
    for key in ("a", "n", "c", "l", "b", "y"):
        same_but_for(row, plain, read(**{key: value}))


def test_the_changes_of_an_audit_leave_owners_alone(tmp_path: Path) -> None:
    given = settings(tmp_path, path=str(tmp_path / "own.csv"), target="y", owner="clinic", blind=True)
    table().to_csv(tmp_path / "own.csv", index=False)
    plain = prepare(**given)
    row = int(plain.train.ids[0])
    made = 0
    for kind in CHANGES:
        try:
            other = prepare(**given, change=Change(kind, row))
        except NothingToChangeError:
            continue
        made += 1
        same_but_for(row, plain, other)
    assert made == len(CHANGES)
