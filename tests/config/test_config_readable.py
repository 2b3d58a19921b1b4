"""Overrides that hydra's grammar has no place for: types of columns of any name, paths and targets of any text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.config import compose
from assay.config.overrides import escaped, readable, unescaped
from assay.errors import AssayError

OWN = ["dataset=csv", "dataset.path=x.csv", "dataset.target=y"]


def dataset(*overrides: str) -> dict[str, Any]:
    options: dict[str, Any] = compose([*OWN, *overrides]).config["dataset"]
    return options


@pytest.mark.parametrize(
    "column",
    [
        "zip",
        "Age (years)",
        "résilié",
        "年齢",
        "a.b",
        "a=b",
        "7",
        "7th",
        "null",
        "it's",
        'say "x"',
        "a:b, {c}",
        "-",
        "_x20_",
        "$",
        "",
        "back\\",
    ],
)
@pytest.mark.parametrize("sign", ["", "+", "++"])
def test_a_column_of_any_name_gets_a_type(column: str, sign: str) -> None:
    assert dataset(f"{sign}dataset.types.{column}=ignore", "dataset.types.b=text")["types"] == {
        column: "ignore",
        "b": "text",
    }


@given(st.text(alphabet=st.one_of(st.sampled_from("_x0159af- "), st.characters())))
def test_escaping_a_column_can_be_undone(column: str) -> None:
    assert unescaped(escaped(column)) == column
    assert escaped(column).replace("-", "_").isidentifier()
    assert escaped(column).isascii()


def test_plain_names_stay_as_they_are() -> None:
    assert readable("dataset.types.zip_code=categorical") == "++dataset.types.zip_code=categorical"
    assert readable("dataset.path=a,b") == "++dataset.path=a,b"
    for argument in ("-m", "seed=1", "~dataset.types.zip"):
        assert readable(argument) == argument


@pytest.mark.parametrize(
    ("mapping", "types"),
    [
        ("{a:text}", {"a": "text"}),
        ('{"Age (years)": ignore,"é":"text"}', {"Age (years)": "ignore", "é": "text"}),
        ("{}", {}),
    ],
)
def test_types_may_be_given_as_a_mapping(mapping: str, types: dict[str, str]) -> None:
    assert dataset(f"dataset.types={mapping}", "dataset.types.b=ignore")["types"] == {**types, "b": "ignore"}


@pytest.mark.parametrize("key", ["path", "target"])
@pytest.mark.parametrize(
    "text",
    [
        "~/x.csv",
        "Age (years)",
        "résilié",
        "it's",
        'a "b"',
        "a=b",
        "(\\",
        'x(\\"',
        "a b.csv",
        "1e5",
        "1_000",
        "7.0",
        "true",
    ],
)
def test_a_path_or_target_is_any_text(key: str, text: str) -> None:
    assert dataset(f"dataset.{key}={text}")[key] == text


def test_the_place_of_outputs_may_begin_at_home() -> None:
    assert compose(["paths.outputs=~/out", "paths.data=~/data"]).config["paths"] == {
        "outputs": "~/out",
        "data": "~/data",
    }


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (
            ["dataset.types.Age (years)=ignre"],
            "dataset.types.Age (years)=ignre: must be one of numeric, categorical, text, ignore (did you mean ignore?)",
        ),
        (["dataset.types.a b=text,ignore"], "dataset.types.a b=text,ignore: several values (add -m for a run of each"),
        (["dataset.types.a b=(x"], "dataset.types.a b=(x: cannot be read as a value"),
        (
            ["dataset.features=[Age (years)]"],
            "dataset.features=[Age (years)]: cannot be read as a list"
            ' (put quotes around its entries: \'dataset.features=["a b","c"]\')',
        ),
        (
            ["dataset.types={a:[}"],
            "dataset.types={a:[}: cannot be read as a mapping (write dataset.types.COLUMN=TYPE for each)",
        ),
        (["dataset.types=text"], "dataset.types=text: must be a mapping"),
        (["dataset.missing=drp"], "dataset.missing=drp: must be one of error, drop (did you mean drop?)"),
        (["dataset.encoding=utf-9"], "dataset.encoding=utf-9: is no text encoding (e.g. utf-8, cp1252,"),
        (["dataset.encoding=base64"], "dataset.encoding=base64: is no text encoding"),
    ],
)
def test_a_mistake_names_the_column_as_it_was_written(overrides: list[str], line: str) -> None:
    with pytest.raises(AssayError) as caught:
        compose([*OWN, *overrides])
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (
            "dataset=wine dataset.missing=drop",
            "dataset.missing=drop: dataset=wine has no such key (it belongs to dataset=arrow",
        ),
        (
            "dataset=wine dataset.encoding=latin-1",
            "dataset.encoding=latin-1: dataset=wine has no such key (it belongs to dataset=csv or dataset=frame)",
        ),
        (
            "dataset=parquet dataset.path=x.parquet dataset.target=y dataset.encoding=latin-1",
            "dataset.encoding=latin-1: dataset=parquet has no such key (it belongs to dataset=csv or dataset=frame)",
        ),
    ],
)
def test_what_could_change_nothing_is_said(overrides: str, line: str) -> None:
    with pytest.raises(AssayError) as caught:
        compose(overrides.split())
    assert str(caught.value).startswith(line)


def test_rows_and_encoding_of_own_data_may_be_chosen() -> None:
    chosen = dataset("dataset.missing=drop", "dataset.encoding=latin-1")
    assert (chosen["missing"], chosen["encoding"]) == ("drop", "latin-1")
    assert (dataset()["missing"], dataset()["encoding"]) == ("error", "utf-8")
