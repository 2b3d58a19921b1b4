"""A column of texts of which most are numbers: the few that are none, or the reason for which the numbers do not agree."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.data.own.notation import disagreement, is_written, notation_of
from assay.data.own.reading import is_word

if TYPE_CHECKING:
    from assay.data.own.cells import Cells

_CODE = re.compile(r"\s*[+-]?0\d")  # a leading zero makes all numbers of the column codes
NEARLY = 0.8  # share of numbers from which a column of texts is taken for numbers to be cleaned
HALF = 0.5  # the same where the numbers are of many values
MANY_VALUES = 10
FEW_STRAYS = 5  # texts, so many can be listed as missing
TRIED = 200  # distinct texts looked at first


@dataclass(frozen=True)
class Strays:
    """Texts among numbers, most frequent first, and the number of their cells; or the reason for which numbers disagree."""

    texts: list[str]
    cells: int
    total: int
    values: int = 0  # number of different numbers beside them
    reason: str | None = None

    @property
    def mendable(self) -> bool:
        """True where the texts are few enough to be listed as missing, among numbers of many values."""
        return len(self.texts) <= FEW_STRAYS and self.values > MANY_VALUES


def stray_texts(cells: Cells) -> Strays | None:
    """The strays of a column of texts; None where it is no column of numbers."""
    import pyarrow as pa

    counts = cells.counts()
    if not counts:
        return None
    sample = list(counts)[:TRIED]
    if sum(is_written(text) for text in sample) < HALF * len(sample) / 2 and len(sample) == TRIED:
        return None
    written = {text: count for text, count in counts.items() if is_written(text)}
    total, share = counts.total(), sum(written.values()) / counts.total()
    if share < HALF or (share < NEARLY and len(written) <= MANY_VALUES):
        return None
    texts = [text for text, _ in counts.most_common() if text not in written]
    if notation_of(list(written), cells.conventions.decimal) is None:
        reason = disagreement(list(written))
        return None if reason is None or share < NEARLY else Strays([], 0, total, reason=reason)
    column = pa.array(texts, pa.string())
    words = set(column.filter(is_word(column)).to_pylist())
    foreign = [text for text in texts if text not in words]
    if not foreign or any(_CODE.match(text) for text in foreign):
        return None
    return Strays(foreign, sum(counts[text] for text in foreign), total, len(written))
