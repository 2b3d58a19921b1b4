"""Excel files: a sheet is read where openpyxl is there, and one line says what to install where it is not."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import Any

import pytest
from data_helpers import options, settings

from assay.data import prepare
from assay.errors import InputError


def line(path: Path, **given: Any) -> str:
    with pytest.raises(InputError) as caught:
        _ = options("excel", path=str(path), target="y", **given).content
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_missing_library_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    (tmp_path / "own.xlsx").write_bytes(b"PK\x03\x04")
    assert "an Excel file needs openpyxl to be read (pip install openpyxl, or save it as csv)" in line(
        tmp_path / "own.xlsx"
    )


def test_a_sheet_is_read_as_text_first(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["a", "when", "code", "count", "y", None])
    for n in range(60):
        day = datetime.datetime(1970, 1, 1 + n % 28)
        book.active.append([n * 37 % 101 / 8, day, f"0{n % 4}", n * 7 % 13, ("no", "yes")[n % 2], n])
    book.active.append([None] * 5)
    book.create_sheet("notes").append(["x", "y"])
    path = tmp_path / "own.xlsx"
    book.save(path)
    data = prepare(**settings(tmp_path, "excel", path=str(path), target="y", preprocess={"standardize": False}))
    assert data.description is not None
    assert data.description.columns == {"a": "numeric", "when": "numeric", "code": "categorical", "count": "numeric"}
    assert data.description.left_out == {"column 6": "no name"}
    assert (data.train.features[:, 0] == data.train.ids * 37 % 101 / 8).all()
    assert (data.train.features[:, 1] == data.train.ids % 28).all()
    assert "dataset.sheet=note: no such sheet (did you mean notes?)" in line(path, sheet="note")
    assert "the sheet has no rows" in line(path, sheet="notes")
    path.write_bytes(path.read_bytes()[:500])
    assert "is no xlsx file" in line(path)
