"""Preparation for private runs: neighbouring tables differ in their own row alone, and the split says nothing of labels."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from data_helpers import settings, streams
from scipy import stats

from assay.data import PreparedData, prepare, public_facts
from assay.data.split import stratified_parts
from assay.errors import InputError

SPLIT = {"train": 0.5, "valid": 0.3, "test": 0.2}
SCHEMA = """\
public: true
target: y
columns:
  age: {type: numeric, range: [0, 120]}
  income: {type: numeric}
  city: {type: categorical, categories: [Bern, Oslo, Rome, Vaduz]}
  member: {type: categorical, categories: ["False", "True"]}
  note: {type: text}
"""
TARGETS = {
    "classification": "  y: {type: categorical, categories: [maybe, 'no', 'yes']}\n",
    "regression": "  y: {type: numeric, range: [-100, 100]}\n",
}


def table(kind: str, rows: int = 60) -> pd.DataFrame:
    """Numbers, categories, booleans, texts and a target."""
    draw, i = np.random.default_rng(0), np.arange(rows)
    frame = pd.DataFrame({"age": 20 + i % 37, "income": draw.normal(size=rows).round(3)})
    frame["city"] = np.array(["Rome", "Bern", "Oslo"])[i % 3]
    frame["member"] = i % 2 == 0
    frame["note"] = [f"there were {n % 9} rows in {n} files" for n in i]
    frame["y"] = draw.normal(size=rows).round(2) if kind == "regression" else draw.choice(["no", "yes"], rows)
    return frame


def prepared(frame: pd.DataFrame, folder: Path, form: str = "csv", **changes: Any) -> PreparedData:
    path = folder / f"own.{form}"
    frame.to_csv(path, index=False) if form == "csv" else frame.to_parquet(path)
    given = {"path": str(path), "target": "y", "split": SPLIT, **changes}
    return prepare(**settings(folder, form, blind=True, **given))


def blanked(frame: pd.DataFrame, row: int) -> pd.DataFrame:
    other = frame.astype({"age": float, "member": object, "y": object})
    other.loc[row] = [np.nan if column in ("age", "income") else None for column in other.columns]
    return other


def cell(column: str, value: Any) -> Callable[[pd.DataFrame, int], pd.DataFrame]:
    def change(frame: pd.DataFrame, row: int) -> pd.DataFrame:
        other = frame.astype({column: object})
        other.loc[row, column] = value
        return other

    return change


# what may stand in one private row in place of what does; a parquet column holds cells of one type
CHANGES: dict[str, tuple[Callable[[pd.DataFrame, int], pd.DataFrame], bool]] = {
    "a row without cells": (blanked, True),
    "a number far away": (cell("income", 1e9), True),
    "a number that is none": (cell("income", "unknown"), False),
    "an infinite number": (cell("income", np.inf), True),
    "a missing whole number": (cell("age", None), True),
    "another category": (cell("city", "Oslo"), True),
    "an unknown category": (cell("city", "Thun"), True),
    "a boolean in other letters": (cell("member", "TRUE"), False),
    "a boolean that is none": (cell("member", "perhaps"), False),
    "a text with quotes and line breaks": (cell("note", 'a "b", c\nd'), True),
    "an unknown label": (cell("y", "other"), False),
    "a missing label": (cell("y", None), True),
}


def same_but_for(row: int, one: PreparedData, other: PreparedData) -> None:
    """Everything is equal, to the byte, but the features, the target and the table's cells of one row."""
    for name in ("kind", "classes", "feature_names", "modality", "source_names", "description", "taken_as_public"):
        assert getattr(one, name) == getattr(other, name), name
    assert one.table is not None
    assert other.table is not None
    assert one.table.columns == other.table.columns
    for part in ("train", "valid", "test"):
        a, b = getattr(one, part), getattr(other, part)
        assert a.ids.tobytes() == b.ids.tobytes()
        assert one.positions[part].tobytes() == other.positions[part].tobytes()
        others = a.ids != row
        assert a.features[others].tobytes() == b.features[others].tobytes()
        assert a.target[others].tobytes() == b.target[others].tobytes()
        assert np.isfinite(b.features).all()
        assert np.isfinite(b.target).all()
        assert (
            one.rows(part).take(np.flatnonzero(others)).rows.equals(other.rows(part).take(np.flatnonzero(others)).rows)
        )


@pytest.mark.parametrize("with_schema", [False, True])
@pytest.mark.parametrize("kind", ["classification", "regression"])
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_private_row_changes_its_own_features_alone(form: str, kind: str, with_schema: bool, tmp_path: Path) -> None:
    frame, schema = table(kind), tmp_path / "schema.yaml"
    schema.write_text(SCHEMA + TARGETS[kind])
    given = {"schema": str(schema) if with_schema else None, "rows": 50}
    plain = prepared(frame, tmp_path, form, **given)
    assert plain.kind == kind
    for private in (int(plain.train.ids[0]), int(plain.test.ids[0])):
        for name, (change, fits_any_form) in CHANGES.items():
            if form == "csv" or fits_any_form:
                try:
                    other = prepared(change(frame, private), tmp_path, form, **given)
                except InputError as error:
                    raise AssertionError(name) from error
                same_but_for(private, plain, other)


def test_every_label_may_be_any_class(tmp_path: Path) -> None:
    """The neighbours in a label: the row's own target follows, the split and all others stay."""
    frame = table("classification")
    plain = prepared(frame, tmp_path)
    row = int(plain.train.ids[3])
    flipped = "no" if frame.loc[row, "y"] == "yes" else "yes"
    other = prepared(cell("y", flipped)(frame, row), tmp_path)
    same_but_for(row, plain, other)
    assert plain.train.target[3] != other.train.target[3]
    assert (plain.train.features == other.train.features).all()


def test_private_cells_that_do_not_fit_become_public_values(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    frame, schema = table("classification"), tmp_path / "schema.yaml"
    schema.write_text(SCHEMA + TARGETS["classification"])
    given = {"schema": str(schema), "preprocess": {"standardize": False}}
    row = int(prepared(frame, tmp_path, **given).train.ids[0])
    changed = frame.astype(object)
    changed.loc[row] = [1000, "?", "Thun", "true", None, "?"]
    with caplog.at_level(logging.INFO):
        data = prepared(changed, tmp_path, **given)
    names = data.feature_names
    assert names[:8] == (
        "age",
        "income",
        "city=Bern",
        "city=Oslo",
        "city=Rome",
        "city=Vaduz",
        "member=False",
        "member=True",
    )
    features = data.train.features[0]
    assert features[0] == 120  # the highest of the range
    assert features[1] == pytest.approx(frame["income"][data.valid.ids].mean(), abs=1e-15)
    assert features[2:8].tolist() == [0, 0, 0, 0, 0, 1]
    assert (features[8:] == 0).all()
    assert data.classes == ("maybe", "no", "yes")
    assert data.train.target[0] == 0
    said = [record.message for record in caplog.records if "private cells" in record.message]
    assert len(said) == 5
    assert "column 'y': 1 private cells are replaced by a public value" in said


def test_the_split_is_drawn_by_position_alone(tmp_path: Path) -> None:
    plain = table("classification")
    data, reversed_ = (prepared(frame, tmp_path, rows=40) for frame in (plain, plain[::-1].reset_index(drop=True)))
    positions = np.sort(stratified_parts(np.zeros(60, dtype=np.int64), [40], streams(0)("rows"))[0])
    expected = stratified_parts(np.zeros(40, dtype=np.int64), [20, 12, 8], streams(0)("split"))
    for part, rows in zip(("train", "valid", "test"), expected, strict=True):
        assert (getattr(data, part).ids == positions[rows]).all()
        assert (getattr(reversed_, part).ids == positions[rows]).all()
    stratified = prepare(**settings(tmp_path, path=str(tmp_path / "own.csv"), target="y", split=SPLIT, rows=40))
    assert not np.array_equal(stratified.train.ids, data.train.ids)


def test_who_knows_every_other_label_learns_nothing_from_the_split(tmp_path: Path) -> None:
    """FAULTS P2: under a stratified split the labels of all other rows and the parts give the last label away."""
    rows, tries, hits = 40, 120, {True: 0, False: 0}
    draw = np.random.default_rng(7)
    for trial in range(tries):
        labels = draw.permutation(np.repeat(["a", "b"], rows // 2))
        frame = pd.DataFrame({"x": draw.normal(size=rows), "y": labels})
        path = tmp_path / "own.csv"
        frame.to_csv(path, index=False)
        for blind in (True, False):
            given = settings(tmp_path, path=str(path), target="y", split=SPLIT, blind=blind, seed=trial)
            ids = prepare(**given).train.ids
            secret = int(ids[0])
            share = (labels[ids[1:]] == "a").sum() - (len(ids) / rows) * (np.delete(labels, secret) == "a").sum()
            # a part that lacks rows of a class, against its share of it, holds one more of them
            guess = "a" if share < 0 else "b"
            hits[blind] += guess == labels[secret]
    assert hits[False] == tries
    low, high = stats.binom.interval(0.999, tries, 0.5)
    assert low <= hits[True] <= high


def test_public_rows_alone_are_judged(tmp_path: Path) -> None:
    frame = table("regression")
    ids = prepared(frame, tmp_path).valid.ids
    private = np.setdiff1d(np.arange(60), ids)
    constant = frame.assign(city="Rome")
    constant.loc[private[:20], "city"] = "Oslo"
    with pytest.raises(InputError, match=r"column 'city' is constant \(Rome\) and carries nothing"):
        prepared(constant, tmp_path)
    varied = frame.assign(city="Rome")
    varied.loc[ids[:5], "city"] = "Oslo"
    assert {"city=Oslo", "city=Rome"} <= set(prepared(varied, tmp_path).feature_names)
    missing = frame.copy()
    missing.loc[ids[0], "y"] = np.nan
    with pytest.raises(InputError, match=r"column 'y' has 1 missing \(NaN\) values in the valid rows"):
        prepared(missing, tmp_path)
    empty = frame.copy()
    empty.loc[ids, "income"] = np.nan
    with pytest.raises(InputError, match="column 'income' has no number in the valid rows"):
        prepared(empty, tmp_path)
    counting = frame.assign(n=np.arange(60) + 100)
    with pytest.warns(UserWarning, match="column 'n' is left out: it counts the rows"):
        assert "n" not in prepared(counting, tmp_path).feature_names


def test_missing_cells_of_public_rows_are_said(tmp_path: Path) -> None:
    frame = table("regression")
    row = int(prepared(frame, tmp_path).valid.ids[0])
    frame.loc[row, "income"] = np.nan
    with pytest.warns(UserWarning, match="column 'income': 1 cells of valid rows are replaced"):
        data = prepared(frame, tmp_path, preprocess={"standardize": False})
    others = np.setdiff1d(data.valid.ids, [row])
    assert data.valid.features[0, 1] == pytest.approx(frame["income"][others].mean(), abs=1e-15)


def test_what_shows_private_cells_is_refused(tmp_path: Path) -> None:
    frame, schema = table("classification"), tmp_path / "schema.yaml"
    with pytest.raises(InputError, match=r"^dataset.missing=drop: shows which rows have a missing cell"):
        prepared(frame, tmp_path, missing="drop")
    schema.write_text((SCHEMA + TARGETS["classification"]).replace("public: true", "public: false"))
    with pytest.raises(InputError, match=r"^dataset.schema=.*: does not say `public: true`"):
        prepared(frame, tmp_path, schema=str(schema))
    with pytest.raises(InputError, match=r"^dataset.classes=\[no,yes\]: leaves rows out by their label"):
        prepared(pd.concat([frame, frame.assign(y="maybe")]), tmp_path, classes=["no", "yes"])
    merged = prepared(frame, tmp_path, classes=[["yes"], ["no"]])
    assert merged.classes == ("yes", "no")


@pytest.mark.parametrize("name", ["wine", "digits", "diabetes"])
def test_named_data_keep_their_published_classes(name: str, tmp_path: Path) -> None:
    blind, plain = (prepare(**settings(tmp_path, name, rows=100, blind=blind)) for blind in (True, False))
    for field in ("classes", "feature_names", "kind"):
        assert getattr(blind, field) == getattr(plain, field)
    assert np.array_equal(blind.train.ids, plain.train.ids) == (name == "diabetes")
    assert public_facts(plain) == []
    facts = public_facts(blind)
    assert any("the dataset is published with them" in fact for fact in facts)
    assert facts[0].startswith("That a row exists, and how many there are (")


def test_the_facts_say_where_types_come_from(tmp_path: Path) -> None:
    frame, schema = table("classification"), tmp_path / "schema.yaml"
    schema.write_text(SCHEMA + TARGETS["classification"])
    inferred, declared = prepared(frame, tmp_path), prepared(frame, tmp_path, schema=str(schema))
    assert any("read off the valid rows alone" in fact for fact in public_facts(inferred))
    assert any("schema.yaml states them" in fact for fact in public_facts(declared))
    simulated = prepared(frame, tmp_path, sources={"count": 4, "how": "label"}, corruption={"labels": 0.2})
    assert any("4 owners are simulated, drawn by label" in fact for fact in public_facts(simulated))
    assert any("dataset.corruption" in fact for fact in public_facts(simulated))
