"""Odd columns, one a file: read as the truth says, or refused in one line that names the remedy."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from data_helpers import settings
from odd_columns import COLUMNS, Odd, written

from assay.data import PreparedData, prepare
from assay.data.own.description import cautions, summary
from assay.errors import InputError


def read(odd: Odd, folder: Path) -> PreparedData:
    path = folder / "odd.csv"
    path.write_bytes(written(odd.cells).encode())
    given = {"path": str(path), "target": "y", "preprocess": {"standardize": False}, **odd.given}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return prepare(**settings(folder, **given))


def numbers_of(data: PreparedData) -> list[float]:
    """The numbers of column b in the order of the file."""
    place = data.feature_names.index("b")
    rows = [
        (each, part.features[at, place])
        for part in (data.train, data.valid, data.test)
        for at, each in enumerate(part.ids)
    ]
    return [number for _, number in sorted(rows)]


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_is_read_as_it_is_or_refused_with_the_remedy(name: str, tmp_path: Path) -> None:
    odd = COLUMNS[name]
    if odd.refused is not None:
        with pytest.raises(InputError) as caught:
            read(odd, tmp_path)
        assert "\n" not in str(caught.value)
        assert odd.refused in str(caught.value)
        return
    data = read(odd, tmp_path)
    assert data.description is not None
    names = [each for each in data.feature_names if each == "b" or each.startswith(("b=", "b#"))]
    if odd.left_out is not None:
        assert names == []
        assert data.description.left_out == {"b": odd.left_out}
    elif odd.numbers is not None:
        assert names == ["b"]
        assert numbers_of(data)[: len(odd.numbers)] == pytest.approx(odd.numbers, abs=1e-12)
    elif odd.text:
        assert data.description.columns == {"a": "numeric", "b": "text"}
    else:
        assert data.description.columns == {"a": "numeric", "b": "categorical"}
        assert len(set(texts_of(data))) == odd.categories
        assert names
    if odd.said is not None:
        assert odd.said in "\n".join([*summary(data), *cautions(data)])


def texts_of(data: PreparedData) -> list[str]:
    """The texts of column b in the order of the file."""
    assert data.table is not None
    texts: list[str] = data.table.rows["b"].to_pylist()
    return texts


@pytest.mark.parametrize("name", [name for name, odd in COLUMNS.items() if odd.categories and not odd.given])
def test_no_text_is_lost_in_a_category(name: str, tmp_path: Path) -> None:
    odd = COLUMNS[name]
    texts = texts_of(read(odd, tmp_path))
    if name != "booleans":
        assert texts == odd.cells


def test_numbers_are_read_one_by_one() -> None:
    """The truth of the table counts: nine in ten odd columns are read, and the others are refused."""
    read_rightly = [name for name, odd in COLUMNS.items() if odd.refused is None]
    assert len(COLUMNS) >= 100
    assert len(read_rightly) >= 85
