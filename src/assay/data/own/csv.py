"""A csv file out of its bytes: encoding, header, cells as texts."""

from __future__ import annotations

import codecs
import csv
import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assay.data.own.columns import names_of
from assay.data.own.delimiters import NAMES, delimiter_of, stated
from assay.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK = 2**20  # bytes decoded at a time, so that the whole text never stands beside its bytes
ZEROS_IN, ZEROS = 4096, 0.1  # first bytes, and the share of zeros among them that no text has
SEEN = 2**16  # characters that a delimiter is read off
_FORMATS = {
    b"PAR1": ("is a parquet file", "dataset=parquet reads it"),
    b"ARROW1": ("is an Arrow file", "dataset=arrow reads it"),
    b"\xd0\xcf\x11\xe0": ("is an old Excel file", "save it as xlsx for dataset=excel, or as csv"),
    b"version https://git-lfs": ("is a pointer of Git LFS, not the file", "git lfs pull"),
    b'{"': ("is JSON", "dataset=jsonl reads it"),
    b"[{": ("is JSON", "dataset=jsonl reads it"),
    b"<?xml": ("is XML", "save the table as csv"),
    b"<!doctype html": ("is a web page", "save the table as csv"),
    b"<html": ("is a web page", "save the table as csv"),
}


@dataclass(frozen=True)
class Layout:
    """Form of a csv file that a user states; None: as the file shows it."""

    encoding: str = "utf-8"
    delimiter: str | None = None


@dataclass(frozen=True)
class Header:
    """Names of the columns, the delimiter, and the lines before the header."""

    cells: list[str]
    delimiter: str
    before: int = 0

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return names_of(self.cells)


def is_encoding(name: str) -> bool:
    """True where Python knows a text encoding of that name."""
    try:
        return codecs.lookup(name)._is_text_encoding
    except LookupError:
        return False


def read_header(file: Path, content: bytes, layout: Layout) -> Header:
    """The header of a csv file; InputError when it is empty, not in its encoding, or has no header or no row."""
    if not content:
        raise InputError("dataset.path", file, "the file is empty", "it needs a header line and rows")
    for magic, (limit, remedy) in _FORMATS.items():
        if content[: len(magic)].lower() == magic.lower():
            raise InputError("dataset.path", file, limit, remedy)
    _check_encoding(file, content, layout.encoding)
    if _is_binary(content, layout.encoding):
        raise InputError(
            "dataset.path", file, "is no text: it has zero bytes", "name its encoding, or another dataset="
        )
    stream = io.TextIOWrapper(io.BytesIO(content), encoding=_codec(layout.encoding), newline="")
    line = stream.readline()
    if not line.strip():
        raise InputError("dataset.path", file, "the first line is empty", "it must name the columns")
    said, before = stated(line), 0
    if said is None:
        stream.seek(0)
    else:
        before = 1
    start = stream.read(SEEN)
    cut = start[: start.rfind("\n") + 1] if len(start) == SEEN else start
    given = None if layout.delimiter is None else NAMES.get(layout.delimiter, layout.delimiter)
    delimiter = given or said or delimiter_of(cut or start)
    try:
        reader = csv.reader(io.StringIO(start, newline=""), delimiter=delimiter, skipinitialspace=True)
        names = [_one_line(name) for name in next(reader, [])]
        row = next((row for row in reader if row), None)
    except csv.Error as error:
        raise InputError("dataset.path", file, f"is no csv file: {error}", "its header is too long") from error
    if not names:
        raise InputError("dataset.path", file, "has no header", "its first line must name the columns")
    if row is None:
        raise InputError("dataset.path", file, "the file has a header and no rows", "it needs rows")
    return Header(names, delimiter, before)


def read_cells(file: Path, content: bytes, layout: Layout) -> pa.Table:
    """Every cell as the text that stands in the file; InputError when a row has more cells than the header."""
    import pandas as pd
    import pyarrow as pa

    header = read_header(file, content, layout)
    try:
        with warnings.catch_warnings():
            # Cells beyond the header would be dropped with no more than a warning.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                io.BytesIO(content),
                sep=header.delimiter,
                header=0,
                names=list(range(len(header.cells))),
                skiprows=header.before,
                encoding=_codec(layout.encoding),
                skipinitialspace=True,
                index_col=False,
                dtype=str,
                keep_default_na=False,
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError, ValueError) as error:
        reason = " ".join(str(error).split())
        remedy = "every row needs as many cells as the header; dataset.delimiter names another delimiter"
        raise InputError("dataset.path", file, reason, remedy) from error
    columns = [pa.array(frame[place], pa.string(), from_pandas=True) for place in range(len(header.cells))]
    return pa.Table.from_arrays(columns, header.names)


def _one_line(name: str) -> str:
    """The name of a column without outer blanks and line breaks."""
    return " ".join(name.split()) if any(each in name for each in "\r\n\t") else name.strip()


def _is_binary(content: bytes, encoding: str) -> bool:
    """True where a part of the first bytes is zero, as in no text of an encoding by single bytes."""
    head = content[:ZEROS_IN]
    return "a".encode(encoding) == b"a" and head.count(0) > len(head) * ZEROS


def _codec(encoding: str) -> str:
    """The codec for an encoding that a user names: UTF-8 may begin with a byte order mark."""
    return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding


def _check_encoding(file: Path, content: bytes, encoding: str) -> None:
    decoder = codecs.getincrementaldecoder(encoding)()
    for position in range(0, len(content), BLOCK):
        pending = len(decoder.getstate()[0])
        try:
            decoder.decode(content[position : position + BLOCK])
        except UnicodeDecodeError as error:
            where = f" at byte {position - pending + error.start}"
            raise _not_decoded(file, content, encoding, where) from error
        except UnicodeError as error:  # as UTF-16 without its byte order mark
            raise _not_decoded(file, content, encoding) from error
    if decoder.getstate()[0]:
        limit = f"ends in the middle of a {encoding.upper()} character"
        raise InputError("dataset.path", file, limit, "name its encoding with dataset.encoding, or save it as UTF-8")


def _not_decoded(file: Path, content: bytes, encoding: str, where: str = "") -> InputError:
    """The error for text that is not in its encoding; names the key that says another."""
    likely = "utf-16" if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "cp1252"
    remedy = f"name its encoding, e.g. dataset.encoding={likely}, or save it as UTF-8"
    return InputError(
        "dataset.path", file, f"is not {encoding.upper()} text{where}", remedy, (f"dataset.encoding={likely}",)
    )
