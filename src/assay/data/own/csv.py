"""A csv file out of its bytes: encoding, header, cells as texts."""

from __future__ import annotations

import codecs
import csv
import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK = 2**20  # bytes decoded at a time, so that the whole text never stands beside its bytes


@dataclass(frozen=True)
class Header:
    """Names of the columns, and the delimiter: comma, semicolon, tab or bar, whichever the first line has most of."""

    names: list[str]
    delimiter: str


def is_encoding(name: str) -> bool:
    """True where Python knows a text encoding of that name."""
    try:
        return codecs.lookup(name)._is_text_encoding
    except LookupError:
        return False


def read_header(file: Path, content: bytes, encoding: str) -> Header:
    """The header of a csv file; InputError when it is empty, not in its encoding, or has no header or no row."""
    if not content:
        raise InputError("dataset.path", file, "the file is empty", "it needs a header line and rows")
    _check_encoding(file, content, encoding)
    stream = io.TextIOWrapper(io.BytesIO(content), encoding=_codec(encoding), newline="")
    line = stream.readline()
    if not line.strip():
        raise InputError("dataset.path", file, "the first line is empty", "it must name the columns")
    delimiter = max(",;\t|", key=line.count)
    stream.seek(0)
    reader = csv.reader(stream, delimiter=delimiter)
    names = [name.strip() for name in next(reader)]
    if next((row for row in reader if row), None) is None:
        raise InputError("dataset.path", file, "the file has a header and no rows", "it needs rows")
    return Header(names, delimiter)


def read_cells(file: Path, content: bytes, encoding: str) -> pa.Table:
    """Every cell as the text that stands in the file; InputError when a row has more cells than the header."""
    import pandas as pd
    import pyarrow as pa

    header = read_header(file, content, encoding)
    try:
        with warnings.catch_warnings():
            # Cells beyond the header would be dropped with no more than a warning.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                io.BytesIO(content),
                sep=header.delimiter,
                header=0,
                names=header.names,
                encoding=_codec(encoding),
                skipinitialspace=True,
                index_col=False,
                dtype=str,
                keep_default_na=False,
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        reason = " ".join(str(error).split())
        raise InputError("dataset.path", file, reason, "every row needs as many cells as the header") from error
    return pa.table([pa.array(frame[name], pa.string(), from_pandas=True) for name in header.names], header.names)


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
    return InputError("dataset.path", file, f"is not {encoding.upper()} text{where}", remedy)
