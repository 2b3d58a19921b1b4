"""Schemas: what may stand in one, a draft out of a file, and a table that does not conform."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from data_helpers import options, settings

from assay.cli import main
from assay.data import prepare
from assay.data.own.draft import draft_schema
from assay.data.own.schema import read_schema
from assay.errors import InputError

GOOD = """\
public: true
target: y
columns:
  a: {type: numeric, range: [0, 10]}
  b: {type: categorical, categories: [red, blue]}
  y: {type: categorical, categories: ["0", "1"]}
"""


def line(call: Any) -> str:
    with pytest.raises(InputError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    path = tmp_path / "schema.yaml"
    path.write_text(GOOD)
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path, i = tmp_path / "own.csv", np.arange(40)
    pd.DataFrame({"a": i % 10, "b": np.array(["red", "blue"])[i % 2], "y": i // 20}).to_csv(path, index=False)
    return path


def test_a_schema_says_types_categories_ranges_and_classes(schema: Path, file: Path, tmp_path: Path) -> None:
    schema.write_text(GOOD.replace("[red, blue]", "[red, green, blue]").replace('"0", "1"', '"1", "0", "2"'))
    data = prepare(**settings(tmp_path, path=str(file), target="y", schema=str(schema)))
    assert data.classes == ("1", "0", "2")
    assert data.feature_names == ("a", "b=red", "b=green", "b=blue")
    assert (data.train.target == (data.train.ids < 20)).all()
    assert data.table is not None
    assert data.table.column("a").range == (0, 10)
    assert data.table.column("b").categories == ("red", "green", "blue")
    assert data.table.column("y").categories == ("1", "0", "2")


MISTAKES = {
    "unknown key": ("public: true\ncolums: {}\n", "schema.yaml: colums={}: unknown key (did you mean schema.yaml: columns?)"),
    "no columns": ("public: true\n", "schema.yaml: columns=: missing"),
    "a type": (GOOD.replace("numeric", "number"), "columns.a.type=number: must be one of numeric"),
    "a range": (GOOD.replace("[0, 10]", "[10, 0]"), "columns.a.range is [10.0,0.0] (lowest and highest number"),
    "a range of words": (GOOD.replace("[0, 10]", "[low, 10]"), "columns.a.range=low: must be a number"),
    "no categories": (GOOD.replace(", categories: [red, blue]", ""), "columns.b.categories must name each category once"),
    "categories twice": (GOOD.replace("red, blue", "red, red"), "columns.b.categories must name each category once"),
    "one class": (GOOD.replace('"0", "1"', '"0"'), "columns.y.categories needs two classes or more"),
    "categories of a number": (GOOD.replace("range: [0, 10]", "categories: [a]"), "is for a categorical column and 'a' is"),
    "no mapping": ("- a\n", "is no mapping"),
    "no YAML": ("a: [", "is no YAML"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_schema_that_cannot_be_is_one_line(mistake: str, schema: Path) -> None:
    text, words = MISTAKES[mistake]
    schema.write_text(text)
    assert words in line(lambda: read_schema(str(schema)))


def test_a_schema_that_is_not_there_is_named(tmp_path: Path) -> None:
    said = line(lambda: read_schema(str(tmp_path / "none.yaml")))
    assert "no such file (`assay data schema FILE --out schema.yaml` writes a draft)" in said


def test_a_schema_of_another_table_is_named_before_loading(schema: Path, file: Path) -> None:
    def content(text: str, **changes: Any) -> str:
        schema.write_text(text)
        given = {"path": str(file), "target": "y", "schema": str(schema), **changes}
        return line(lambda: options(**given).content)

    without = GOOD.replace("  b: {type: categorical, categories: [red, blue]}\n", "")
    assert "columns has no column 'b' of the table" in content(without)
    assert "columns.c is no column of the table" in content(GOOD + "  c: {type: ignore}\n")
    assert "target is 'y' and dataset.target=a" in content(GOOD, target="a")
    text = GOOD.replace('y: {type: categorical, categories: ["0", "1"]}', "y: {type: text}")
    assert "columns.y.type is neither numeric nor categorical" in content(text)


def test_types_beside_a_schema_are_refused(schema: Path, file: Path) -> None:
    given = options(path=str(file), target="y", schema=str(schema), types={"a": "text"})
    assert line(given.check_options).startswith("dataset.types.a=text: the schema says it")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[0, 10]", "[0, 1]", "columns.a.range does not have "),
        ("red, blue", "red, green", "columns.b.categories has no 'blue', which stands in the table"),
        ('"0", "1"', '"0", "2"', "columns.y.categories has no '1', which stands in the table"),
    ],
)
@pytest.mark.parametrize("blind", [False, True])
def test_a_cell_that_the_schema_does_not_allow_is_named(
    old: str, new: str, words: str, blind: bool, schema: Path, file: Path, tmp_path: Path
) -> None:
    schema.write_text(GOOD.replace(old, new))
    given = settings(tmp_path, path=str(file), target="y", schema=str(schema), blind=blind)
    assert words in line(lambda: prepare(**given))


def test_the_checksum_covers_the_schema(schema: Path, file: Path) -> None:
    def checksum() -> str | None:
        return options(path=str(file), target="y", schema=str(schema)).checksum

    first = checksum()
    assert first == checksum()
    schema.write_text(GOOD.replace("10", "11"))
    assert first != checksum()
    assert first != options(path=str(file), target="y").checksum


def messy() -> pd.DataFrame:
    i = np.arange(60)
    return pd.DataFrame(
        {
            "who": [f"C{n}" for n in i],
            "age": 20 + i % 37,
            "paid": [f"${n},000" if n % 4 else "on request" for n in i],
            "city": np.array(["Rome", "Bern", "yes"])[i % 3],
            "member": i % 2 == 0,
            "note": [f"there were {n % 9} rows in {n} files" for n in i],
            "y": np.array(["no", "yes"])[i % 2],
        }
    )


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_draft_is_marked_and_serves_once_it_is_public(form: str, tmp_path: Path) -> None:
    path = tmp_path / f"own.{form}"
    messy().to_csv(path, index=False) if form == "csv" else messy().to_parquet(path)
    text = draft_schema(str(path), "y")
    assert text.startswith(f"# Derived from the rows of own.{form}: it shows what stands in them.")
    values = yaml.safe_load(text)
    assert values["public"] is False
    assert values["target"] == "y"
    types = {name: column["type"] for name, column in values["columns"].items()}
    assert types == {
        **{"who": "ignore", "age": "numeric", "paid": "ignore", "city": "categorical", "member": "categorical"},
        **{"note": "text", "y": "categorical"},
    }
    assert values["columns"]["age"]["range"] == [20, 56]
    assert values["columns"]["city"]["categories"] == ["Bern", "Rome", "yes"]
    assert values["columns"]["member"]["categories"] == ["False", "True"]
    assert values["columns"]["y"]["categories"] == ["no", "yes"]
    assert "# column 'paid' is nearly numeric" in text
    schema = tmp_path / "schema.yaml"
    schema.write_text(text.replace("public: false", "public: true"))
    given = {"path": str(path), "target": "y", "schema": str(schema)}
    data = prepare(**settings(tmp_path, form, blind=True, **given))
    assert data.feature_names[:3] == ("age", "city=Bern", "city=Rome")


def test_the_command_writes_a_draft_and_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "own.csv", tmp_path / "schema.yaml"
    messy().to_csv(path, index=False)
    assert main(["data", "schema", str(path)]) == 0
    assert "target: null" in capsys.readouterr().out
    assert main(["data", "schema", str(path), "--target", "y", "--out", str(out)]) == 0
    assert read_schema(str(out)).target == "y"
    assert main(["data", "schema", str(path), "--out", str(out)]) == 2
    assert capsys.readouterr().err.startswith(f"--out={out}: is there already")
    assert main(["data", "schema"]) == 2
    assert "needs one file" in capsys.readouterr().err
    assert main(["data", "schema", str(path), "--target", "Y"]) == 2
    assert "did you mean 'y'?" in capsys.readouterr().err
    assert main(["data", "list", "--target", "y"]) == 2
