"""The delimiter of a csv file: the one that stands outside quotes, as often in its header as in its rows."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import re

NAMES = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "space": " ", "colon": ":"}
LIKELY = (",", ";", "\t", "|")
LOOKED_AT = 50  # records
_STATED = re.compile(r"\ufeff?\"?sep=(.)\"?\r?\n?")


def is_delimiter(name: str) -> bool:
    """True for a single character, or the name of one."""
    return name in NAMES or (len(name) == 1 and name not in '"\r\n')


def stated(line: str) -> str | None:
    """The delimiter that a first line `sep=;` states, as Excel writes it."""
    match = _STATED.fullmatch(line)
    return match[1] if match else None


def delimiter_of(text: str) -> str:
    """The delimiter of the first lines of a file, comma where there is none."""
    lines = text.splitlines(keepends=True)
    if lines and (said := stated(lines[0])):
        return said
    return max(LIKELY, key=lambda each: (_score(text, each), -LIKELY.index(each)))


def _score(text: str, delimiter: str) -> tuple[float, int]:
    """Share of the records that are as wide as the header, and the header's width; nothing for one of one cell."""
    records = _records(text, delimiter)
    if not records or len(records[0]) < 2:
        return (0.0, 0)
    width, rows = len(records[0]), records[1:]
    alike = sum(len(record) == width for record in rows)
    return (alike / len(rows) if rows else 1.0, width)


def _records(text: str, delimiter: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    records: list[list[str]] = []
    with contextlib.suppress(csv.Error):  # as a cell of more than 128 kB: the records before it say enough
        records.extend(record for record in itertools.islice(reader, LOOKED_AT) if record)
    return records
