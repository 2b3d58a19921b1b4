"""Numbers, tables and sentences as text: the one printer of terminal and report."""

from __future__ import annotations

import math
import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
Intervals = Mapping[str, tuple[str, str]]

NOTHING = "–"
_PIPE = (160, 24)  # a pipe has no width of its own
_EXACT = 1e15  # whole numbers below are exact in a float


def number(value: object) -> str:
    """A number as text: whole ones in full, others in three significant digits; a dash where there is none."""
    if value is None or value != value:  # NaN is the only value that differs from itself
        return NOTHING
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if isinstance(value, int) or (value.is_integer() and abs(value) < _EXACT):
        return f"{int(value)}"
    return f"{value:.0f}" if 1000 <= abs(value) < _EXACT else f"{value:.3g}"


def with_interval(row: Row, column: str, intervals: Intervals | None = None) -> str:
    """A cell as `mean [low, high]`; the number alone where it has no finite bounds or does not differ from them."""
    low, high = (intervals or {}).get(column, (f"{column}_low", f"{column}_high"))
    text = number(row.get(column))
    ends = [row.get(low), row.get(high)]
    if not all(isinstance(end, int | float) and math.isfinite(end) for end in ends):
        return text
    bounds = [number(end) for end in ends]
    return text if bounds == [text, text] else f"{text} [{', '.join(bounds)}]"


def shown_columns(columns: Sequence[str], intervals: Intervals | None = None) -> list[str]:
    """The columns that are no bound of another one."""
    ends = {end for pair in (intervals or {}).values() for end in pair}
    ends |= {f"{column}_{end}" for column in columns for end in ("low", "high")}
    return [column for column in columns if column not in ends]


def print_table(
    title: str,
    rows: Sequence[Row],
    columns: Sequence[str] = (),
    intervals: Intervals | None = None,
    colours: Mapping[str, str] | None = None,
) -> None:
    """Prints rows so that they fit the terminal: with intervals if there is room, else without, else in several blocks.

    `columns`: those that are shown (none: all but bounds). `colours`: ANSI codes of cells, by their text. Prints nothing
    without rows.
    """
    if not rows:
        return
    names = list(columns) or shown_columns(list(rows[0]), intervals)
    right = [_is_number(rows, name) for name in names]
    whole = [[with_interval(row, name, intervals) for name in names] for row in rows]
    alone = [[number(row.get(name)) for name in names] for row in rows]
    grids = [
        _Grid([name.split(mark) for name in names], cells, right)
        for cells, mark in ((whole, None), (whole, "_"), (alone, None), (alone, "_"))
    ]
    width = _width()
    grid = next((each for each in grids if each.needed() <= width), grids[-1])
    if title:
        print_prose([title])
    for block in grid.blocks(width):
        for line in grid.lines(block, width, colours or {}):
            print(line)
        print()


def print_prose(lines: Iterable[str]) -> None:
    """Prints sentences, each on lines of its own that break between words and stay as far from the edge as its first."""
    for line in lines:
        edge = line[: len(line) - len(line.lstrip())]
        print(_filled(line.strip(), edge, edge))


def print_terms(entries: Sequence[tuple[str, str]], edge: str = "") -> None:
    """Prints terms below each other, the text on each beside it; `edge` stands before every line."""
    width = min(max((len(term) for term, _ in entries), default=0), _width() // 2)
    for term, text in entries:
        further = " " * (len(edge) + width + 2)
        print(_filled(text, f"{edge}{term.ljust(width)}  ", further).rstrip() if text else f"{edge}{term}")


def _filled(text: str, first: str, further: str) -> str:
    return textwrap.fill(
        text, _width(), initial_indent=first, subsequent_indent=further, break_long_words=False, break_on_hyphens=False
    )


def _width() -> int:
    return max(20, shutil.get_terminal_size(_PIPE).columns)


def _is_number(rows: Sequence[Row], name: str) -> bool:
    values = [row.get(name) for row in rows]
    return any(isinstance(value, int | float) for value in values) and not any(isinstance(v, str) for v in values)


@dataclass(frozen=True)
class _Grid:
    """Heads of one or more lines [columns], cells [rows][columns], and the columns that are aligned to the right."""

    heads: Sequence[Sequence[str]]
    cells: Sequence[Sequence[str]]
    right: Sequence[bool]

    @property
    def widths(self) -> list[int]:
        """Characters of each column."""
        columns = zip(*self.cells, strict=True)
        return [max(map(len, [*head, *column])) for head, column in zip(self.heads, columns, strict=True)]

    def needed(self, block: Sequence[int] | None = None, gap: int = 1) -> int:
        """Characters of a line with these columns (None: all)."""
        widths = self.widths
        chosen = range(len(widths)) if block is None else block
        return sum(widths[place] + gap for place in chosen) - gap

    def blocks(self, width: int) -> Iterator[list[int]]:
        """Columns of each block that fits; the leading columns of text come again in each."""
        leading = next((place for place, is_number in enumerate(self.right) if is_number), len(self.right))
        keys = list(range(min(leading, max(1, len(self.right) - 1))))
        block = list(keys)
        for place in range(len(keys), len(self.right)):
            if len(block) > len(keys) and self.needed([*block, place]) > width:
                yield block
                block = list(keys)
            block.append(place)
        yield block

    def lines(self, block: Sequence[int], width: int, colours: Mapping[str, str]) -> Iterator[str]:
        """The lines of one block: heads at the foot of their lines, a rule, the rows."""
        widths, gap = self.widths, 2 if self.needed(block, 2) <= width else 1
        height = max(len(self.heads[place]) for place in block)
        padded = [[""] * (height - len(self.heads[place])) + list(self.heads[place]) for place in block]
        rule = ["-" * widths[place] for place in block]
        for texts in (*zip(*padded, strict=True), rule, *([row[place] for place in block] for row in self.cells)):
            aligned = (
                text.rjust(widths[place]) if self.right[place] else text.ljust(widths[place])
                for place, text in zip(block, texts, strict=True)
            )
            yield (" " * gap).join(_coloured(cell, colours) for cell in aligned).rstrip()


def _coloured(cell: str, colours: Mapping[str, str]) -> str:
    code = colours.get(cell.strip())
    wanted = code is not None and sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return f"\x1b[{code}m{cell}\x1b[0m" if wanted else cell
