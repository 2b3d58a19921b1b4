"""Odd targets: classes and quantities as the truth says, or refused with the remedy; missing values of every frame."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from data_helpers import settings, streams
from odd_columns import DROP, Odd, each, holes, turns

from assay.api import _frame
from assay.data import PreparedData, prepare
from assay.data.own.frame import FrameTable
from assay.data.own.schema import ColumnSchema, Schema
from assay.errors import InputError

N = np.arange(60)

# each: the cells of the target, and its classes; numbers for a quantity; words of a refusal
TARGETS: dict[str, tuple[Odd, tuple[str, ...]]] = {
    "codes": (Odd(turns("01", "1", "02", "2")), ("01", "02", "1", "2")),
    "booleans": (Odd(turns("true", "FALSE")), ("False", "True")),
    "None": (Odd(turns("None", "Apnea")), ("Apnea", "None")),
    "NA of three": (Odd(turns("NA", "EU", "AS")), ("AS", "EU", "NA")),
    "None as stated": (Odd(turns("None", "low", "high"), options=(("na", ["None"]), DROP)), ("high", "low")),
    "scores": (Odd(turns("3", "4", "5")), ("3", "4", "5")),
    "scores with points": (Odd(turns("3.0", "4.0", "5.0")), ("3", "4", "5")),
    "scores and NA": (Odd(turns("3", "4", "NA"), options=(DROP,)), ("3", "4")),
    "minus one and one": (Odd(turns("-1", "1")), ("-1", "1")),
    "incomes": (Odd(turns("<=50K", ">50K")), ("<=50K", ">50K")),
    "case": (Odd(turns("Yes", "yes", "no")), ("Yes", "no", "yes")),
    "doses": (Odd(turns("10 mg", "5 mg")), ("5 mg", "10 mg")),
    "seventeen digits": (
        Odd(turns("12345678901234567", "12345678901234568")),
        ("12345678901234567", "12345678901234568"),
    ),
    "quantities": (Odd(each(lambda n: f"{n}.25")), ()),
    "kilograms": (Odd(each(lambda n: f"{n} kg")), ()),
    "prices": (Odd(each(lambda n: f"${n + 1},{100 + n}.50")), ()),
    "dates": (Odd(each(lambda n: f"2020-01-{n % 28 + 1:02}")), ()),
    "scores as a quantity": (Odd(turns("3", "4", "5"), options=(("kind", "regression"),)), ()),
    "prices and unknown": (Odd(holes(lambda n: f"${n}", "unknown", 4), refused="dataset.na=[unknown]"), ()),
    "prices and unknown as stated": (
        Odd(holes(lambda n: f"${n}", "unknown", 4), options=(("na", ["unknown"]), DROP)),
        (),
    ),
    "names": (Odd(each(lambda n: f"name {n}"), refused="60 different texts on 60 rows are no classes"), ()),
    "units": (Odd(each(lambda n: f"{n} {'kg' if n % 2 else 'g'}"), refused="in several units (g and kg)"), ()),
    "unclear dates": (
        Odd(each(lambda n: f"{n % 12 + 1}/{n // 5 % 12 + 1}/{1970 + n}"), refused="order of day and month"),
        (),
    ),
    "one class": (Odd(each(lambda n: "1"), refused="has one value only (1)"), ()),
    "no value": (Odd(each(lambda n: ""), refused="dataset.target=y: has no value in any row"), ()),
    "words as a quantity": (Odd(turns("low", "high"), refused="is not numeric", options=(("kind", "regression"),)), ()),
    "quantities as classes": (
        Odd(each(lambda n: f"{n}.5"), refused="60 values on 60 rows", options=(("kind", "classification"),)),
        (),
    ),
    "infinite": (Odd(holes(lambda n: f"{n}.5", "inf", 20), refused="column 'y' has 3 infinite values"), ()),
}


def read(cells: list[str], folder: Path, given: dict[str, Any]) -> PreparedData:
    pd.DataFrame({"a": N * 37 % 101 / 8, "y": cells}).to_csv(folder / "own.csv", index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return prepare(**settings(folder, path=str(folder / "own.csv"), target="y", **given))


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_is_what_it_is_or_refused_with_the_remedy(name: str, tmp_path: Path) -> None:
    odd, classes = TARGETS[name]
    if odd.refused is not None:
        with pytest.raises(InputError) as caught:
            read(odd.cells, tmp_path, odd.given)
        assert "\n" not in str(caught.value)
        assert odd.refused in str(caught.value)
        return
    data = read(odd.cells, tmp_path, odd.given)
    assert data.classes == classes
    assert data.kind == ("classification" if classes else "regression")
    if classes and not odd.given and name not in ("booleans", "scores with points"):
        assert [classes[label] for label in data.train.target] == [odd.cells[row] for row in data.train.ids]


MISSING: dict[str, Any] = {
    "None": [None if n == 7 else float(n) for n in N],
    "NaN": np.where(N == 7, np.nan, N),
    "NaT": pd.Series(pd.to_datetime(["1970-01-01"] * 60))
    + pd.to_timedelta([pd.NaT if n == 7 else n for n in N], unit="D"),
    "pd.NA": pd.array([pd.NA if n == 7 else n for n in N], dtype="Int64"),
    "a masked array": pd.array(np.where(N == 7, 0, N), dtype="Int64").copy(),
    "a text": pd.array([None if n == 7 else f"0{n % 5}" for n in N], dtype="string"),
    "a boolean": pd.array([None if n == 7 else n % 3 == 0 for n in N], dtype="boolean"),
    "a category": pd.Categorical([None if n == 7 else "uvw"[n % 3] for n in N]),
    "a stated number": [-999 if n == 7 else n for n in N],
}


@pytest.mark.parametrize("name", MISSING)
def test_every_missing_value_of_a_frame_is_missing(name: str, tmp_path: Path) -> None:
    column = MISSING[name]
    if name == "a masked array":
        column[7] = None
    frame = pd.DataFrame({"a": N * 37 % 101 / 8, "b": column, "y": N % 2})
    given = {"frame": frame, "target": "y", "na": ["-999"] if name == "a stated number" else []}
    with pytest.raises(InputError, match="column 'b' has 1 missing"):
        prepare(FrameTable(**given), data_dir=tmp_path, generator=streams(0))
    data = prepare(FrameTable(**given, missing="drop"), data_dir=tmp_path, generator=streams(0))
    assert sorted(np.concatenate([data.train.ids, data.valid.ids, data.test.ids])) == [n for n in N if n != 7]


def test_whole_numbers_beside_a_missing_one_are_the_same_categories(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": N * 37 % 101 / 8, "zip": [None if n == 7 else 2116 + n % 3 for n in N], "y": N % 2})
    assert frame["zip"].dtype == np.float64
    given = FrameTable(frame=frame, target="y", missing="drop", types={"zip": "categorical"})
    data = prepare(given, data_dir=tmp_path, generator=streams(0))
    assert data.feature_names == ("a", "zip=2116", "zip=2117", "zip=2118")


def test_masked_arrays_are_frames_with_missing_values() -> None:
    masked = np.ma.masked_equal(np.arange(6).reshape(3, 2), 3)
    frame, _ = _frame(masked, np.ma.masked_equal([0, 1, 9], 9), None)
    assert frame.isna().to_numpy().tolist() == [[False] * 3, [False, True, False], [False, False, True]]


def test_a_word_that_a_schema_calls_a_category_is_one(tmp_path: Path) -> None:
    (tmp_path / "schema.yaml").write_text(
        "public: true\ntarget: y\ncolumns:\n  a: {type: numeric}\n"
        "  grade: {type: categorical, categories: ['1', '2', NA]}\n  y: {type: categorical, categories: ['0', '1']}\n"
    )
    assert Schema({"grade": ColumnSchema("categorical", ["NA"])}).columns["grade"].categories == ["NA"]
    frame = pd.DataFrame({"a": N * 37 % 101 / 8, "grade": [("1", "2", "NA")[n % 3] for n in N], "y": N % 2})
    frame.to_csv(tmp_path / "own.csv", index=False)
    for blind in (False, True):
        given = {
            "path": str(tmp_path / "own.csv"),
            "target": "y",
            "schema": str(tmp_path / "schema.yaml"),
            "blind": blind,
        }
        data = prepare(**settings(tmp_path, preprocess={"standardize": False}, **given))
        assert data.feature_names == ("a", "grade=1", "grade=2", "grade=NA")
        assert (data.train.features[:, 1:].argmax(axis=1) == data.train.ids % 3).all()
        assert (data.train.features[:, 1:].sum(axis=1) == 1).all()
