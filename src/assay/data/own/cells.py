"""Cells of one column of a user's table, as numbers and as texts, whatever the file stored them as."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from assay.data.own.reading import (
    BOOLEAN,
    BOOLEANS,
    PLAIN,
    TEXT,
    Conventions,
    Reading,
    is_word,
    noted_numbers,
    plain_numbers,
    reading_of,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from assay.arrays import Flags, Floats, Integers

_WHOLE = r"^\s*[+-]?\d+\s*$"
_EXACT = 2**53  # whole numbers up to it are doubles


@dataclass(frozen=True, eq=False)
class Cells:
    """One column: of `written` cells an empty text is missing; others have the file's own type, and texts are read alike.

    A cell's number and text depend on the cell and the column's reading alone. The reading is decided from these cells
    unless it is `given`, as for private rows.
    """

    name: str
    column: pa.Array
    written: bool
    conventions: Conventions = field(default_factory=Conventions)
    given: Reading | None = None
    is_image: bool = False  # bytes that the file says are images

    def __len__(self) -> int:
        return len(self.column)

    def take(self, rows: Integers) -> Cells:
        """The cells of some rows; they decide on their reading anew."""
        import pyarrow as pa

        return replace(self, column=self.column.take(pa.array(rows)))

    def read_as(self, reading: Reading) -> Cells:
        """The cells in a reading that others have decided."""
        return replace(self, given=reading)

    @cached_property
    def reading(self) -> Reading:
        """The kind of value of the cells and the notation of their numbers."""
        import pyarrow as pa

        if self.given is not None:
            return self.given
        if self.is_nested:
            return TEXT
        if pa.types.is_boolean(self.column.type):
            return BOOLEANS
        if not self.is_text:
            return TEXT if self._is_cut_off else PLAIN
        return reading_of(self._raw_texts, self.conventions.decimal)

    @property
    def is_nested(self) -> bool:
        """True where a cell is a list, a mapping or bytes, and no single value."""
        import pyarrow as pa

        kind = self.column.type
        return bool(pa.types.is_nested(kind) or pa.types.is_interval(kind)) or self.is_binary

    @property
    def is_binary(self) -> bool:
        """True where a cell is bytes."""
        import pyarrow as pa

        kind = self.column.type
        fixed = pa.types.is_fixed_size_binary(kind)
        return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or fixed)

    @property
    def is_text(self) -> bool:
        """True where the file stored neither numbers nor booleans."""
        import pyarrow as pa

        kind = self.column.type
        return not (pa.types.is_boolean(kind) or pa.types.is_null(kind) or _is_numeric(kind))

    @cached_property
    def _is_cut_off(self) -> bool:
        """True for stored whole numbers beyond what a double distinguishes."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if not pa.types.is_integer(self.column.type):
            return False
        ends = pc.min_max(self.column)
        return any(abs(end.as_py() or 0) > _EXACT for end in (ends["min"], ends["max"]))

    @cached_property
    def present(self) -> Flags:
        """True where a cell holds a value [rows]."""
        import numpy as np

        if self.is_nested:
            return np.asarray(self.column.is_valid().to_numpy(zero_copy_only=False), dtype=bool)
        if _is_numeric(self.column.type):
            return np.asarray(~np.isnan(self.numbers), dtype=bool)
        return np.asarray(self.texts.is_valid().to_numpy(zero_copy_only=False), dtype=bool)

    @property
    def missing(self) -> int:
        """Number of cells without a value."""
        return len(self) - int(self.present.sum())

    @property
    def is_empty(self) -> bool:
        """True where no cell holds a value."""
        return not self.present.any()

    @property
    def is_boolean(self) -> bool:
        """True where every cell that is there says true or false."""
        return self.reading.kind == "boolean"

    @property
    def is_number(self) -> bool:
        """True where every cell that is there is a number, and none of them loses a digit or a leading zero as one."""
        return self.reading.kind == "number"

    @cached_property
    def is_whole(self) -> bool:
        """True where every row has a number written or stored as a whole one."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if self.missing or self.reading != PLAIN:
            return False
        if self.is_text:
            return pc.all(pc.match_substring_regex(self.texts, _WHOLE)).as_py() is not False
        return bool(pa.types.is_integer(self.column.type))

    @cached_property
    def numbers(self) -> Floats:
        """The cells as numbers [rows]; NaN for a missing cell and for one that is no number."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        if not self.is_text:
            column = pc.if_else(self._is_na, pa.scalar(None, self.column.type), self.column)
            return _as_floats(column.cast(pa.float64(), safe=False))
        texts = self.texts
        if self.is_boolean:
            truth = pc.match_substring_regex(texts, BOOLEAN)
            said = pc.equal(pc.utf8_lower(texts), "true").cast(pa.float64())
            return _as_floats(pc.if_else(truth, said, pa.scalar(None, pa.float64())))
        notation = self.reading.notation
        return np.asarray(_as_floats(plain_numbers(texts) if notation is None else noted_numbers(texts, notation)))

    @cached_property
    def texts(self) -> pa.Array:
        """The cells as texts, null where one is missing."""
        import pyarrow as pa
        import pyarrow.compute as pc

        texts = self._raw_texts
        if self.is_text and self.reading.words_are_missing:
            return pc.if_else(is_word(texts), pa.scalar(None, pa.string()), texts)
        return texts

    @cached_property
    def _raw_texts(self) -> pa.Array:
        """The cells as texts, null where one is missing in any reading."""
        import pyarrow as pa
        import pyarrow.compute as pc

        texts = self._written_texts
        if self.written and self.is_text:
            texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
        return pc.if_else(self._is_na, pa.scalar(None, pa.string()), texts)

    @cached_property
    def _written_texts(self) -> pa.Array:
        import pyarrow as pa
        import pyarrow.compute as pc

        kind = self.column.type
        if pa.types.is_boolean(kind):
            return pc.if_else(self.column, pa.scalar("True"), pa.scalar("False"))
        if pa.types.is_integer(kind) or pa.types.is_null(kind):
            return self.column.cast(pa.string())
        if not self.is_text:
            numbers = _as_floats(self.column.cast(pa.float64(), safe=False))
            return pa.array([None if number != number else number_text(number) for number in numbers], pa.string())
        if pa.types.is_duration(kind):
            seconds = self.column.cast(pa.duration("us")).cast(pa.int64()).to_pylist()
            return pa.array([None if each is None else f"{number_text(each / 1e6)} s" for each in seconds], pa.string())
        if self.is_nested:
            return pa.array([None if cell is None else "" for cell in self.column.to_pylist()], pa.string())
        return self.column.cast(pa.string())

    @cached_property
    def _is_na(self) -> pa.Array:
        """True where a cell is one of the texts that a user calls missing, in any case; numbers are compared as numbers."""
        import pyarrow as pa
        import pyarrow.compute as pc

        stated = self.conventions.na
        numbers = plain_numbers(pa.array(stated, pa.string())).drop_null()
        if not stated or (_is_numeric(self.column.type) and not len(numbers)):
            return pa.repeat(False, len(self))
        if _is_numeric(self.column.type):
            return pc.is_in(self.column.cast(pa.float64(), safe=False), value_set=numbers)
        texts = self._written_texts
        bare = pc.utf8_lower(pc.utf8_trim_whitespace(texts)).fill_null("")
        listed = pc.is_in(bare, value_set=pa.array([each.strip().lower() for each in stated], pa.string()))
        if len(numbers) and not self.is_nested:
            listed = pc.or_(listed, pc.is_in(plain_numbers(texts), value_set=numbers).fill_null(False))
        return listed

    def labels(self, boolean: bool) -> pa.Array:
        """The cells as names of categories, null where one is missing; true and TRUE are True where `boolean` is said."""
        import pyarrow.compute as pc

        if not (boolean and self.is_text):
            return self.texts
        written = pc.match_substring_regex(self.texts, BOOLEAN)
        return pc.if_else(written, pc.utf8_capitalize(self.texts), self.texts)

    @cached_property
    def distinct(self) -> int:
        """Number of different values."""
        import numpy as np

        if self.is_number:
            return len(np.unique(self.numbers[self.present]))
        if self.is_nested:
            return len(self)
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
    return str(int(number)) if float(number).is_integer() and abs(number) < _EXACT else repr(float(number))


def _as_floats(column: pa.Array) -> Floats:
    import numpy as np

    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def _is_numeric(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
