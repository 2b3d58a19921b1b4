"""Cells of a column as numbers and texts: the same whatever a file stored them as, each read alone."""

from __future__ import annotations

import datetime
import math
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.data.own.cells import Cells, number_text
from assay.data.own.classes import class_index, class_names
from assay.data.own.reading import PLAIN, WORDS


def written(*cells: str | None) -> Cells:
    return Cells("c", pa.array(cells, pa.string()), True)


def stored(values: list[Any]) -> Cells:
    return Cells("c", pa.array(values), False)


def slow_number(text: str) -> float:
    """The number that a csv cell stands for, by Python's own reader; NaN for a missing cell and for what is none."""
    if text in WORDS or not re.fullmatch(r"[\s\d+\-.eEinfIityNFTY]*", text) or not text.isascii():
        return math.nan
    try:
        return float(text)
    except ValueError:
        return math.nan


@given(st.lists(st.one_of(st.floats(allow_nan=False).map(repr), st.integers().map(str), st.text("0123456789.eE+- x"))))
def test_numbers_are_those_that_python_reads(texts: list[str]) -> None:
    numbers = written(*texts).read_as(PLAIN).numbers
    expected = [slow_number(text) for text in texts]
    assert np.array_equal(numbers, np.array(expected, dtype=np.float64), equal_nan=True)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_a_number_survives_its_text(values: list[float]) -> None:
    texts = [number_text(value) for value in values]
    assert written(*texts).read_as(PLAIN).numbers.tolist() == values
    assert [str(text) for text in stored(values).texts.to_pylist()] == texts


@given(st.lists(st.integers(-(2**53) + 1, 2**53 - 1), min_size=1), st.integers(0))
def test_a_cell_is_the_same_whatever_another_cell_is(values: list[int], place: int) -> None:
    """A missing cell makes a column of whole numbers one of floats; the others keep number and text."""
    holed: list[int | None] = list(values)
    holed[place % len(values)] = None
    floats = Cells("c", pa.array(holed, pa.int64()).cast(pa.float64()), False)
    rest = [row for row in range(len(values)) if row != place % len(values)]
    for column in (stored(values), written(*map(str, values))):
        assert column.numbers[rest].tolist() == floats.numbers[rest].tolist()
        assert column.take(np.array(rest, dtype=np.int64)).texts.equals(
            floats.take(np.array(rest, dtype=np.int64)).texts
        )
    assert floats.missing == 1


KINDS = [
    (written("1", "2", ""), {"is_number": True, "is_whole": False, "missing": 1, "distinct": 2}),
    (written("1", "+2", "-3"), {"is_number": True, "is_whole": True, "distinct": 3}),
    (written("1.0", "1", "+1"), {"is_number": True, "is_whole": False, "distinct": 1}),
    (written("1.0", "1", "01"), {"is_number": False, "is_whole": False, "distinct": 3}),
    (written("02116", "2116"), {"is_number": False, "distinct": 2}),
    (written("2116", "", "10001"), {"is_number": True, "missing": 1, "first": "2116"}),
    (written("12345678901234567", "12345678901234568"), {"is_number": False, "distinct": 2}),
    (written("10000000000000000", "20000000000000000"), {"is_number": True}),
    (written("NA", "None", "null", "x"), {"is_number": False, "missing": 0, "distinct": 4}),
    (written("NA", "None", "nan", "1.5"), {"is_number": True, "missing": 3}),
    (written("0", "0.5", "-0.25"), {"is_number": True, "missing": 0}),
    (written("1", "x"), {"is_number": False, "is_boolean": False, "distinct": 2}),
    (written("True", "FALSE", "true", "NA"), {"is_boolean": True, "is_number": False, "distinct": 2, "missing": 1}),
    (written("", ""), {"is_number": True, "missing": 2, "distinct": 0, "is_empty": True}),
    (written("", "NaN"), {"is_number": False, "missing": 1, "distinct": 1}),
    (stored(["1", "2"]), {"is_number": True, "is_text": True}),
    (stored(["", "a"]), {"missing": 0}),
    (stored([2**53 + 1, 2**53 + 2]), {"is_number": False, "distinct": 2}),
    (stored([float("nan"), None, 1.0]), {"is_number": True, "missing": 2}),
    (stored([1, 2]), {"is_number": True, "is_whole": True, "is_text": False}),
    (stored([1.5, None]), {"is_number": True, "is_whole": False, "missing": 1}),
    (stored([True, None]), {"is_boolean": True, "is_number": False, "missing": 1}),
    (stored([None, None]), {"is_number": True, "missing": 2}),
    (stored([[1], [2]]), {"is_nested": True, "is_number": False}),
    (stored([b"1"]), {"is_nested": True}),
    (stored([datetime.date(2020, 1, 2)]), {"is_text": True, "is_number": True, "first": "2020-01-02"}),
]


@pytest.mark.parametrize(("cells", "facts"), KINDS)
def test_the_kind_of_a_column(cells: Cells, facts: dict[str, Any]) -> None:
    assert {name: getattr(cells, name) for name in facts} == facts


def test_labels_join_the_ways_of_writing_a_boolean() -> None:
    cells = written("true", "TRUE", "False", "perhaps", "")
    assert cells.labels(True).to_pylist() == ["True", "True", "False", "perhaps", None]
    assert cells.labels(False).to_pylist() == ["true", "TRUE", "False", "perhaps", None]
    assert stored([True, False]).labels(True).to_pylist() == ["True", "False"]


@pytest.mark.parametrize(
    ("cells", "names", "index"),
    [
        (written("10", "9", "10"), ["9", "10"], [1, 0, 1]),
        (written("2.0", "1", "2"), ["1", "2"], [1, 0, 1]),
        (written("b", "a", "B"), ["B", "a", "b"], [2, 1, 0]),
        (written("true", "False"), ["False", "True"], [1, 0]),
        (stored([1.5, 2.0]), ["1.5", "2"], [0, 1]),
    ],
)
def test_classes_are_sorted_numbers_by_size(cells: Cells, names: list[str], index: list[int]) -> None:
    assert class_names(cells) == names
    assert class_index(cells, names).tolist() == index


@given(st.lists(st.sampled_from(["1", "1.0", "01", "2", "x", "", "3"]), min_size=1))
def test_a_label_that_is_no_class_has_no_index(texts: list[str]) -> None:
    classes = ["x", "2", "1"]
    expected = [{"1": 2, "1.0": 2, "01": 2, "2": 1, "x": 0}.get(text, -1) for text in texts]
    assert class_index(written(*texts), classes).tolist() == expected
