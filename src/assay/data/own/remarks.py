"""Remarks on the cells of a user's table: numbers written for people, categories that may be one, words that may be missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from assay.data.own.dates import Moments
from assay.data.own.faults import na_override
from assay.data.own.reading import WORDS

if TYPE_CHECKING:
    from assay.data.own.cells import Cells

MARKS = ("?", "-", "--", ".", "unknown", "missing", "not available", "n.a.", "none", "nil")
MOST_SAID = 6  # remarks
MOST_SHOWN = 8  # columns of one line


def readings(columns: Mapping[str, Cells]) -> list[str]:
    """A line on the columns whose numbers are written for people, with an example of each; none where there is none."""
    shown = [_example(cells) for cells in columns.values() if cells.reading.notation is not None]
    more = f" and {len(shown) - MOST_SHOWN} more columns" if len(shown) > MOST_SHOWN else ""
    return [f"read as numbers: {', '.join(shown[:MOST_SHOWN])}{more}"] if shown else []


def _example(cells: Cells) -> str:
    notation = cells.reading.notation
    assert notation is not None
    text = next((text for text in cells.texts.to_pylist() if text is not None), "")
    number = notation(text)
    unit = f" {notation.unit}" if isinstance(notation, Moments) else ""
    return f"{cells.name} ({text!r} is {number + 0.0:.10g}{unit})" if number is not None else cells.name


def variants(columns: Mapping[str, Cells], types: Mapping[str, str], classes: Iterable[str]) -> list[str]:
    """Cautions on categories and classes that differ in case or blanks alone, and on those called NA or None."""
    named = bool(list(classes))
    said: list[str] = []
    for name, cells in columns.items():
        if (
            types.get(name, "categorical" if named else "numeric") != "categorical"
            or cells.is_number
            or cells.is_boolean
        ):
            continue
        counts = cells.counts()
        groups: dict[str, list[str]] = {}
        for text in counts:
            groups.setdefault(" ".join(text.split()).casefold(), []).append(text)
        for group in [each for each in groups.values() if len(each) > 1][:3]:
            texts = ", ".join(map(repr, sorted(group)))
            limit = f"differ in case or blanks alone and are {len(group)} categories"
            said.append(f"column {name!r}: {texts} {limit} (write them alike if they are one)")
        for word in [text for text in counts if text in WORDS or text.strip().lower() in MARKS][:3]:
            place = f"{counts[word]} of {len(cells)} cells"
            remedy = f"{na_override([word])} reads it as missing"
            said.append(f"column {name!r}: {word!r} in {place} is a category like others ({remedy})")
    more = len(said) - MOST_SAID
    return said if more <= 1 else [*said[:MOST_SAID], f"{more} more remarks of this kind"]
