"""Cells of one column of a user's table, as numbers and as texts, whatever the file stored them as."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from assay.arrays import Flags, Floats, Integers

# texts of a csv cell that stand for a missing value
MISSING = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"),
    *("NULL", "NaN", "None", "n/a", "nan", "null"),
)
_NUMBER = r"^\s*[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|(?i:inf|infinity))\s*$"
_WHOLE = r"^[+-]?\d+$"
_BOOLEAN = r"^(?:True|TRUE|true|False|FALSE|false)$"


@dataclass(frozen=True, eq=False)
class Cells:
    """One column: `written` cells are texts in which numbers and booleans are written, others have the file's own type.

    A cell's number and its text depend on nothing but the cell: a whole number is the same text whether the file stored
    it as an integer or, since another cell is missing, as a float.
    """

    name: str
    column: pa.Array
    written: bool

    def __len__(self) -> int:
        return len(self.column)

    def take(self, rows: Integers) -> Cells:
        """The cells of some rows."""
        import pyarrow as pa

        return Cells(self.name, self.column.take(pa.array(rows)), self.written)

    @property
    def is_nested(self) -> bool:
        """True where a cell is a list, a mapping or bytes, and no single value."""
        import pyarrow as pa

        kind = self.column.type
        return bool(pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))

    @property
    def is_text(self) -> bool:
        """True where the file stored neither numbers nor booleans."""
        import pyarrow as pa

        kind = self.column.type
        return not (pa.types.is_boolean(kind) or pa.types.is_null(kind) or _is_numeric(kind))

    @cached_property
    def present(self) -> Flags:
        """True where a cell holds a value [rows]."""
        import numpy as np

        if self.is_nested:
            return np.asarray(self.column.is_valid().to_numpy(zero_copy_only=False), dtype=bool)
        if not self.is_text:
            return ~np.isnan(self.numbers)
        return np.asarray(self._raw_texts.is_valid().to_numpy(zero_copy_only=False), dtype=bool)

    @property
    def missing(self) -> int:
        """Number of cells without a value."""
        return len(self) - int(self.present.sum())

    @cached_property
    def is_boolean(self) -> bool:
        """True where every cell that is there says true or false."""
        import pyarrow as pa

        if pa.types.is_boolean(self.column.type):
            return True
        return self.written and self.is_text and bool(self.present.any()) and _all_match(self._raw_texts, _BOOLEAN)

    @cached_property
    def is_number(self) -> bool:
        """True where every cell that is there is a number; booleans are none, and neither are texts unless written."""
        import numpy as np
        import pyarrow as pa

        if pa.types.is_boolean(self.column.type) or self.is_nested:
            return False
        if not self.is_text:
            return True
        return self.written and not self.is_boolean and not np.isnan(self.numbers[self.present]).any()

    @cached_property
    def is_whole(self) -> bool:
        """True where every row has a number written or stored as a whole one."""
        import pyarrow as pa

        if self.missing:
            return False
        if self.is_text:
            return self.written and _all_match(self._raw_texts, _WHOLE)
        return bool(pa.types.is_integer(self.column.type))

    @cached_property
    def numbers(self) -> Floats:
        """The cells as numbers [rows]; NaN for a missing cell and for one that is no number."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        if not self.is_text:
            column = self.column.cast(pa.float64(), safe=False)
            return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)
        texts = self._raw_texts
        if self.is_boolean:
            truth = pc.equal(pc.utf8_lower(texts), "true").cast(pa.float64())
            return np.asarray(truth.to_numpy(zero_copy_only=False), dtype=np.float64)
        fits = pc.match_substring_regex(texts, _NUMBER)
        bare = pc.replace_substring_regex(pc.utf8_trim_whitespace(texts), pattern=r"^\+", replacement="")
        parsed = pc.if_else(fits, bare, pa.scalar(None, pa.string())).cast(pa.float64())
        return np.asarray(parsed.to_numpy(zero_copy_only=False), dtype=np.float64)

    @cached_property
    def texts(self) -> pa.Array:
        """The cells as texts, null where one is missing."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if self.is_text:
            return self._raw_texts
        if pa.types.is_boolean(self.column.type):
            return pc.if_else(self.column, pa.scalar("True"), pa.scalar("False"))
        if pa.types.is_integer(self.column.type):
            return self.column.cast(pa.string())
        return pa.array([None if number != number else number_text(number) for number in self.numbers], pa.string())

    @cached_property
    def _raw_texts(self) -> pa.Array:
        import pyarrow as pa
        import pyarrow.compute as pc

        texts = self.column.cast(pa.string())
        if not self.written:
            return texts
        known = pc.is_in(texts, value_set=pa.array(MISSING, pa.string()))
        return pc.if_else(known, pa.scalar(None, pa.string()), texts)

    def labels(self, boolean: bool) -> pa.Array:
        """The cells as names of categories, null where one is missing; true and TRUE are True where `boolean` is said."""
        import pyarrow.compute as pc

        if not (boolean and self.is_text):
            return self.texts
        written = pc.match_substring_regex(self.texts, _BOOLEAN)
        return pc.if_else(written, pc.utf8_capitalize(self.texts), self.texts)

    @cached_property
    def distinct(self) -> int:
        """Number of different values."""
        import numpy as np

        if self.is_number:
            return len(np.unique(self.numbers[self.present]))
        return len(self.labels(self.is_boolean).drop_null().unique())

    @property
    def first(self) -> str:
        """Text of the first cell that is there."""
        return str(self.labels(self.is_boolean).drop_null()[0].as_py())

    def counts(self) -> Counter[str]:
        """Number of rows with each text, in order of first appearance."""
        return Counter(self.texts.drop_null().to_pylist())


def number_text(number: float) -> str:
    """The shortest text of a number, without ".0" where it is whole."""
    return str(int(number)) if float(number).is_integer() and abs(number) < 2**53 else repr(float(number))


def _is_numeric(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _all_match(texts: pa.Array, pattern: str) -> bool:
    import pyarrow.compute as pc

    return pc.all(pc.match_substring_regex(texts, pattern)).as_py() is not False
