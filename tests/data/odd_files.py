"""Files in odd forms, each with its truth written by hand: 60 rows of a number, a colour and a class."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq

NAMES = ("a", "c")
COLOURS = ("green", "red", "blue")


@dataclass(frozen=True)
class File:
    """Bytes by file name, options, and the truth: names of the columns in use, classes, or words of a refusal."""

    files: dict[str, bytes]
    option: str = "csv"
    columns: tuple[str, ...] = NAMES
    classes: tuple[str, ...] = ("no", "yes")
    left_out: dict[str, str] = field(default_factory=dict)
    refused: str | None = None
    given: dict[str, Any] = field(default_factory=dict)
    rows: int = 60


def frame(rows: int = 60) -> pd.DataFrame:
    """A number, a colour and a class."""
    n = np.arange(rows)
    colours, classes = np.array(COLOURS, dtype=object)[n % 3], np.array(["no", "yes"], dtype=object)[n % 2]
    return pd.DataFrame({"a": n * 37 % 101 / 8, "c": colours, "y": classes})


def text(delimiter: str = ",", header: str = "a,c,y", end: str = "\n", comma: bool = False) -> str:
    """The rows as csv; with `comma` numbers have a decimal comma."""
    lines = [header.replace(",", delimiter)]
    for a, c, y in frame().itertuples(index=False):
        number = f"{a:.3f}".replace(".", ",") if comma else f"{a:.3f}"
        lines.append(delimiter.join((number, c, y)))
    return end.join(lines) + end


def csv(content: str | bytes, name: str = "own.csv", **changes: Any) -> File:
    """A file of one text."""
    return File({name: content if isinstance(content, bytes) else content.encode()}, **changes)


def zipped(*names: str) -> bytes:
    """An archive of files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, text())
    return buffer.getvalue()


def parquet(table: pd.DataFrame | pa.Table, **changes: Any) -> File:
    """A parquet file."""
    buffer = io.BytesIO()
    table.to_parquet(buffer) if isinstance(table, pd.DataFrame) else pq.write_table(table, buffer)
    return File({"own.parquet": buffer.getvalue()}, "parquet", **changes)


def arrow(write: Callable[[pa.Table, io.BytesIO], None], **changes: Any) -> File:
    """An Arrow file in one of its forms."""
    buffer = io.BytesIO()
    write(pa.Table.from_pandas(frame(), preserve_index=False), buffer)
    return File({"own.arrow": buffer.getvalue()}, "arrow", **changes)


def _file(table: pa.Table, buffer: io.BytesIO) -> None:
    with pa.ipc.new_file(buffer, table.schema) as writer:
        writer.write_table(table)


def _stream(table: pa.Table, buffer: io.BytesIO) -> None:
    with pa.ipc.new_stream(buffer, table.schema) as writer:
        writer.write_table(table)


def lines(records: list[Any], **changes: Any) -> File:
    """A file of JSON lines."""
    return File({"own.jsonl": "".join(json.dumps(each) + "\n" for each in records).encode()}, "jsonl", **changes)


RECORDS: list[dict[str, Any]] = frame().to_dict("records")
SAVED = parquet(frame()).files["own.parquet"]
LABELS = frame().assign(when=pd.date_range("1970-01-01", periods=60), member=np.arange(60) % 2 == 0)
INDEXED = frame().set_index(pd.Index([500 + n * n for n in range(60)], name="row"))
NULLS = frame().assign(b=pd.array([None if n == 5 else n * n % 41 for n in range(60)], dtype="Int64"))
TIMED = pd.DataFrame({"wait": pd.to_timedelta(np.arange(60) * 7 % 50, unit="s")})


def without(number: int, key: str) -> list[dict[str, Any]]:
    """Records of which one lacks a key."""
    return [
        {name: value for name, value in each.items() if place != number or name != key}
        for place, each in enumerate(RECORDS)
    ]


DROP = {"missing": "drop"}
TEXTS: dict[str, File] = {
    "semicolons": csv(text(";")),
    "tabs": csv(text("\t"), "own.tsv"),
    "bars": csv(text("|")),
    "spaces as stated": csv(text(" "), given={"delimiter": "space"}),
    "tildes as stated": csv(text("~"), given={"delimiter": "~"}),
    "colons as stated": csv(text(":"), given={"delimiter": "colon"}),
    "semicolons and decimal commas": csv(text(";", comma=True)),
    "tabs and decimal commas": csv(text("\t", comma=True)),
    "stated by its first line": csv("sep=;\n" + text(";")),
    "a tab stated by its first line": csv("sep=\t\r\n" + text("\t", end="\r\n")),
    "commas in a quoted header of semicolons": csv(text(";").replace("a;", '"a, b";', 1), columns=("a, b", "c")),
    "semicolons in a quoted header of commas": csv(
        text().replace("a,c,y", '"a;b;d;e;f",c,y'), columns=("a;b;d;e;f", "c")
    ),
    "commas in a header of tabs": csv(text("\t").replace("a\t", "a, b, d, e\t"), columns=("a, b, d, e", "c")),
    "quoted delimiters": csv(text().replace("green", '"green, dark"')),
    "quotes in quotes": csv(text().replace("green", '"say ""x"""')),
    "a line break in the header": csv(text().replace("a,c,y", '"a\nEUR",c,y'), columns=("a EUR", "c")),
    "line breaks in cells": csv(text().replace("green", '"dark\ngreen"')),
    "blanks after the delimiter": csv(text(", ")),
    "line ends of Windows": csv(text(end="\r\n")),
    "line ends of old Macs": csv(text(end="\r")),
    "no line end at the end": csv(text().rstrip("\n")),
    "blank lines": csv(text().replace("\n", "\n\n")),
    "a byte order mark": csv(b"\xef\xbb\xbf" + text().encode()),
    "a mark and a stated delimiter": csv(b"\xef\xbb\xbfsep=;\n" + text(";").encode()),
    "latin-1 as stated": csv(text().replace("green", "grün").encode("latin-1"), given={"encoding": "latin-1"}),
    "utf-16 as stated": csv(text().encode("utf-16"), given={"encoding": "utf-16"}),
    "utf-32 as stated": csv(text().encode("utf-32"), given={"encoding": "utf-32"}),
    "Cyrillic as stated": csv(text().replace("green", "зелёный").encode("cp1251"), given={"encoding": "cp1251"}),
    "row names": csv(frame().to_csv(), left_out={"": "index of the file"}),
    "row names that are wanted": csv(frame().to_csv(), columns=("", "a", "c"), given={"types": {"": "numeric"}}),
    "a delimiter at the end of each line": csv(text().replace("\n", ",\n"), left_out={"column 4": "no name"}),
    "a column without a name": csv(text().replace("a,c,y", "a,,y"), columns=("a",), left_out={"column 2": "no name"}),
    "words before the header": csv("My table\n" + text(), refused="dataset.delimiter"),
    "a named index": csv(INDEXED.to_csv(), given={"index": "row"}, left_out={"row": "index of the file"}),
    "upper-case suffix": csv(text(), "OWN.CSV"),
    "no suffix": csv(text(), "own"),
    "a name of commas": csv(text(), "a,b;c.csv"),
    "a name with a tilde": csv(text(), "~own"),
    "gzip": csv(gzip.compress(text().encode()), "own.csv.gz"),
    "gzip without suffix": csv(gzip.compress(text().encode()), "own"),
    "gzip in upper case": csv(gzip.compress(text("\t").encode()), "OWN.TSV.GZ"),
    "bzip2": csv(bz2.compress(text().encode()), "own.csv.bz2"),
    "xz": csv(lzma.compress(text().encode()), "own.csv.xz"),
    "zstd": csv(
        pa.compress(text().encode(), codec="zstd", asbytes=True),
        "own.csv.zst",
        given={"compression": "none"},
        refused="is not UTF-8",
    ),
    "zip": csv(zipped("own.csv"), "own.zip"),
    "zip of a Mac": csv(zipped("own.csv", "__MACOSX/._own.csv"), "own.zip"),
    "two in a zip": csv(zipped("a.csv", "b.csv"), "own.zip", refused="holds 2 files"),
    "half a gzip": csv(gzip.compress(text().encode())[:60], "own.csv.gz", refused="is no whole gzip file"),
    "a damaged zip": csv(zipped("own.csv")[:200], "own.zip", refused="is no whole zip file"),
    "a false statement": csv(text(), given={"compression": "gzip"}, refused="is no whole gzip file"),
    "an Excel file": csv(zipped("xl/workbook.xml"), "own.xlsx", refused="dataset=excel reads it"),
    "a parquet file": csv(SAVED, refused="dataset=parquet reads it"),
    "Excel without its library": csv(zipped("xl/workbook.xml"), "own.xlsx", option="excel", refused="own.xlsx"),
    "not UTF-8": csv(text().replace("green", "grün").encode("latin-1"), refused="dataset.encoding=cp1252"),
    "utf-16 by its mark": csv(text().encode("utf-16"), refused="dataset.encoding=utf-16"),
    "zero bytes": csv(b"\0" * 500, refused="is no text: it has zero bytes"),
    "utf-16 without its mark": csv(text().encode("utf-16-le"), refused="is no text: it has zero bytes"),
    "JSON as csv": csv(json.dumps([{"a": 1, "y": 2}]), refused="dataset=jsonl reads it"),
    "JSON lines as csv": csv('{"a": 1, "y": 2}\n', refused="dataset=jsonl reads it"),
    "a web page": csv("<!DOCTYPE html><html></html>", refused="is a web page"),
    "a pointer": csv("version https://git-lfs.github.com/spec/v1\noid sha256:1\n", refused="git lfs pull"),
    "nothing": csv(b"", refused="the file is empty"),
    "a header alone": csv("a,c,y\n", refused="has a header and no rows"),
    "a blank first line": csv("\n" + text(), refused="the first line is empty"),
    "two columns of a name": csv(text().replace("a,c,y", "a,a,y"), refused="is the name of two columns"),
    "more cells than names": csv(text() + "1,2,3,4\n", refused="as many cells as the header"),
    "fewer cells than names": csv(text() + "1\n", refused="column 'c' has 1 missing (NaN) values, 'y' 1"),
    "fewer cells, dropped": csv(text() + "1\n", given=DROP),
    "a name of ours": csv(text().replace("a,c,y", "assay:id,c,y"), refused="is the name of a column that assay adds"),
    "a quote without an end": csv(text() + '1,"red,no\n', refused="own.csv"),
    "another delimiter than stated": csv(text(), given={"delimiter": ";"}, refused="no such column"),
}

STORED: dict[str, File] = {
    "parquet": parquet(frame()),
    "parquet with an index": parquet(INDEXED, left_out={"row": "index of the file"}),
    "parquet with an index without a name": parquet(
        frame()[frame().index != 7], rows=59, left_out={"__index_level_0__": "index of the file"}
    ),
    "parquet with dates and booleans": parquet(LABELS.drop(columns="c"), columns=("a", "when", "member")),
    "parquet with durations": parquet(frame().assign(c=TIMED["wait"])),
    "parquet with nulls": parquet(NULLS, columns=("a", "c", "b"), given=DROP, rows=59),
    "parquet with categories": parquet(frame().astype({"c": "category", "y": "category"})),
    "parquet with decimals": parquet(
        pa.Table.from_pandas(frame(), preserve_index=False).set_column(
            0, "a", pa.array([n * 7 % 50 for n in range(60)]).cast(pa.decimal128(22, 2))
        )
    ),
    "parquet with texts of numbers": parquet(frame().assign(a=frame()["a"].astype(str))),
    "parquet with long whole numbers": parquet(
        frame().assign(b=[2**60 + n % 3 for n in range(60)]), columns=("a", "c", "b")
    ),
    "parquet with lists": parquet(
        frame().assign(tags=[[1, 2]] * 60), left_out={"tags": "its cells are no single values"}
    ),
    "parquet with lists as texts": parquet(
        frame().assign(tags=[[1, 2]] * 60),
        given={"types": {"tags": "text"}},
        refused="dataset.types.tags=text: the cells of 'tags' are no single values (use ignore)",
    ),
    "parquet with mappings": parquet(
        frame().assign(tags=[{"k": 1}] * 60), left_out={"tags": "its cells are no single values"}
    ),
    "parquet with bytes": parquet(frame().assign(photo=[b"x"] * 60), refused="dataset.types.photo=ignore"),
    "parquet with bytes left out": parquet(
        frame().assign(photo=[b"x"] * 60), left_out={"photo": "ignored"}, given={"types": {"photo": "ignore"}}
    ),
    "parquet with a list as target": parquet(frame().assign(y=[[1, 2]] * 60), refused="the cells of 'y' are lists"),
    "parquet with nulls alone": parquet(
        frame().assign(b=pd.Series([None] * 60, dtype=object)), left_out={"b": "no value"}
    ),
    "parquet without rows": parquet(frame(0), refused="the file has no rows"),
    "half a parquet": File({"own.parquet": SAVED[: len(SAVED) // 2]}, "parquet", refused="or is damaged"),
    "a parquet with a false footer": File(
        {"own.parquet": SAVED[:-40] + b"x" * 32 + SAVED[-8:]}, "parquet", refused="or is damaged"
    ),
    "text as parquet": File({"own.parquet": text().encode()}, "parquet", refused="is not a parquet file"),
    "Arrow file": arrow(_file),
    "Arrow stream": arrow(_stream),
    "feather": arrow(lambda table, buffer: pyarrow.feather.write_feather(table, buffer)),
    "text as Arrow": File({"own.arrow": text().encode()}, "arrow", refused="is not an Arrow file"),
    "half an Arrow file": File(
        {"own.arrow": arrow(_file).files["own.arrow"][:300]}, "arrow", refused="is not an Arrow file"
    ),
    "JSON lines": lines(RECORDS),
    "compressed JSON lines": File({"own.jsonl.gz": gzip.compress(lines(RECORDS).files["own.jsonl"])}, "jsonl"),
    "a list of objects": File({"own.json": json.dumps(RECORDS).encode()}, "jsonl"),
    "an object without a key": lines(without(7, "c"), refused="column 'c' has 1 missing"),
    "an object without a key, dropped": lines(without(7, "c"), given=DROP, rows=59),
    "numbers and texts in a key": lines(
        [{**each, "b": n if n % 2 else f"{n}"} for n, each in enumerate(RECORDS)],
        columns=("a", "c"),
        left_out={"b": "identifies rows"},
    ),
    "lists in a key": lines([{**each, "b": [n % 3, 2]} for n, each in enumerate(RECORDS)], columns=("a", "c", "b")),
    "NaN in a key": lines(
        [{**each, "a": float("nan") if n == 3 else each["a"]} for n, each in enumerate(RECORDS)], given=DROP, rows=59
    ),
    "a line that is no JSON": File(
        {"own.jsonl": lines(RECORDS).files["own.jsonl"] + b"{a: 1}\n"}, "jsonl", refused="line 61 is no JSON"
    ),
    "a line that is no object": lines([*RECORDS, [1]], refused="line 61 is no object"),
    "text as JSON lines": File({"own.jsonl": text().encode()}, "jsonl", refused="line 1 is no JSON"),
    "several files of another order": File(
        {"a.csv": text().encode(), "b.csv": frame()[["y", "c", "a"]].to_csv(index=False, sep=";").encode()}, rows=120
    ),
    "several files of the same columns": File(
        {"a.csv": text().encode(), "b.csv": gzip.compress(text(";").encode())}, rows=120
    ),
    "several files of other columns": File(
        {"a.csv": text().encode(), "b.csv": text().replace("a,c,y", "a,d,y").encode()},
        refused="column 'c' is not in it",
    ),
    "several parquet files": File({"a.parquet": SAVED, "b.parquet": SAVED}, "parquet", rows=120),
}
