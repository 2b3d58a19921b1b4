"""Neighbouring tables: the same table with one private row changed, as the file would store it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from assay.data.dataset import ID, TARGET, Dataset
from assay.errors import AssayError

if TYPE_CHECKING:
    import pyarrow as pa

    from assay.data.own.storage import RawTable

CHANGES = ("row", "number", "word", "category", "label")
"""A row without cells, a number far out, a number that is a word, a category seen nowhere else, another target."""

_FAR, _WORD = 1e6, "seen nowhere else"


class NothingToChangeError(AssayError):
    """A row that has no cell of the kind that is to change."""


@dataclass(frozen=True)
class Change:
    """A change of one row, given by its id: one of `CHANGES`; NothingToChangeError where it has no such cell."""

    kind: str
    row: int

    def of_cells(self, raw: RawTable, target: str) -> RawTable:
        """A user's table as its file stores it, with the row changed; ids are positions."""
        columns = {name: column for name, column in raw.columns().items() if name != target}
        written = {name: cells.take(_place(self.row)) for name, cells in columns.items()}
        numbers = [name for name, cells in written.items() if cells.present.all() and cells.is_number]
        words = [name for name, cells in written.items() if cells.present.all() and not cells.is_number]
        table = raw.table
        if self.kind == "row":
            for name in table.column_names:
                table = _with_cell(table, name, self.row, None)
        elif self.kind in ("number", "word") and numbers:
            table = _with_cell(table, numbers[0], self.row, _FAR if self.kind == "number" else _WORD)
        elif self.kind == "category" and words:
            table = _with_cell(table, words[0], self.row, _WORD)
        elif self.kind == "label":
            table = _with_cell(table, target, self.row, _other(table.column(target), self.row))
        else:
            raise self._nothing()
        return replace(raw, table=table)

    def of_dataset(self, dataset: Dataset) -> Dataset:
        """A shipped dataset with the row changed: its types and categories are declared, so that words are none of them."""
        place = int((dataset.numbers(ID) == self.row).argmax())
        types = {
            name: [c.name for c in dataset.columns if c.type == name] for name in ("numeric", "categorical", "text")
        }
        table = dataset.table
        if self.kind == "row":
            for column in dataset.columns:
                blank = {"numeric": 0.0, "image": [0] * _width(column.shape)}.get(column.type)
                table = _with_cell(table, column.name, place, blank)
            table = _with_cell(table, TARGET, place, 0)
        elif self.kind == "number" and types["numeric"]:
            table = _with_cell(table, types["numeric"][0], place, _FAR)
        elif self.kind == "category" and types["categorical"]:
            table = _with_cell(table, types["categorical"][0], place, None)
        elif self.kind == "word" and types["text"]:
            table = _with_cell(table, types["text"][0], place, _WORD)
        elif self.kind == "label":
            table = _with_cell(table, TARGET, place, _other(table.column(TARGET), place))
        else:
            raise self._nothing()
        return replace(dataset, table=table)

    def _nothing(self) -> NothingToChangeError:
        return NothingToChangeError(f"row {self.row} has no cell for a change of kind {self.kind}")


def _place(row: int) -> Any:
    import numpy as np

    return np.asarray([row])


def _width(shape: tuple[int, ...]) -> int:
    import numpy as np

    return int(np.prod(shape))


def _with_cell(table: pa.Table, name: str, place: int, value: Any) -> pa.Table:
    """The table with another value in one cell; a column whose type has no such value becomes one of texts."""
    import pyarrow as pa

    place_of, column = table.column_names.index(name), table.column(name)
    coded = pa.types.is_dictionary(column.type)
    if coded:
        column = column.cast(column.type.value_type)
    try:
        cell = pa.array([value], column.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        column, cell = column.cast(pa.string()), pa.array([str(value)])
    pieces = [*column.slice(0, place).chunks, cell, *column.slice(place + 1).chunks]
    changed = pa.chunked_array(pieces, cell.type)
    return table.set_column(place_of, name, changed.dictionary_encode() if coded else changed)


def _other(column: pa.ChunkedArray, place: int) -> Any:
    """A value of the column that is not the row's own: the last in order, or the first."""
    values = sorted((value for value in column.unique().to_pylist() if value is not None), key=lambda value: str(value))
    return next((value for value in reversed(values) if value != column[place].as_py()), None)
