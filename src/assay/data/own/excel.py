"""A sheet of an Excel file out of its bytes, where openpyxl is installed."""

from __future__ import annotations

import importlib
import io
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.config.suggest import did_you_mean
from assay.data.own.columns import names_of
from assay.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa


# errors of a reader that trusts what stands in a file
_DAMAGES = (
    *(zipfile.BadZipFile, zlib.error, OSError, EOFError, SyntaxError, MemoryError),
    *(KeyError, ValueError, TypeError, IndexError, AttributeError, NotImplementedError),
)


def read_sheet(file: Path, content: bytes, sheet: str | None) -> pa.Table:
    """Every cell as text, of the first sheet or the named one; InputError for a file or sheet that cannot serve."""
    import pyarrow as pa

    rows = _rows(file, content, sheet)
    width = max((len(row) for row in rows), default=0)
    while width and all(len(row) < width or row[width - 1] is None for row in rows):
        width -= 1
    if len(rows) < 2 or not width:
        raise InputError("dataset.path", file, "the sheet has no rows", "it needs a header line and rows")
    header = [" ".join((_text(cell) or "").split()) for cell in [*rows[0], *[None] * width][:width]]
    names = names_of(header)
    cells = [[_text(row[place]) if place < len(row) else None for row in rows[1:]] for place in range(width)]
    return pa.Table.from_arrays([pa.array(column, pa.string()) for column in cells], names)


def _rows(file: Path, content: bytes, sheet: str | None) -> list[tuple[Any, ...]]:
    try:
        openpyxl: Any = importlib.import_module("openpyxl")
    except ImportError as error:
        remedy = "pip install openpyxl, or save it as csv"
        raise InputError("dataset.path", file, "an Excel file needs openpyxl to be read", remedy) from error
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        names = list(book.sheetnames)
        rows = [] if sheet not in (None, *names) else [*book[sheet or names[0]].iter_rows(values_only=True)]
    except _DAMAGES as error:
        raise InputError(
            "dataset.path", file, "is no xlsx file", "save it as xlsx, or as csv for dataset=csv"
        ) from error
    if sheet not in (None, *names):
        raise InputError("dataset.sheet", sheet, "no such sheet", did_you_mean(str(sheet), names))
    return [tuple(row) for row in rows if any(cell is not None for cell in row)]


def _text(cell: Any) -> str | None:
    """A cell as Python writes it; a whole number without its point, a date without a time at midnight."""
    if cell is None:
        return None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    text = str(cell)
    return text.removesuffix(" 00:00:00") if hasattr(cell, "year") else text
