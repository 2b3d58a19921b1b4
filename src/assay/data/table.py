"""The typed table of a dataset: columns with their types, categories and ranges, the target among them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assay.data.dataset import TARGET, Dataset

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from assay.arrays import Integers


@dataclass(frozen=True)
class TypedColumn:
    """Type of a column, categories of a categorical one (null: another), lowest and highest value of a numeric one."""

    name: str
    type: str  # numeric | categorical | text | image
    categories: tuple[str, ...] = ()
    range: tuple[float, float] | None = None
    shape: tuple[int, ...] = ()  # of an image


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of a dataset before any encoding; the target has its own name and its classes as text."""

    rows: pa.Table
    columns: tuple[TypedColumn, ...]
    target: str

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    def take(self, positions: Integers) -> Table:
        """The rows at some positions."""
        import pyarrow as pa

        return replace(self, rows=self.rows.take(pa.array(positions)))

    def column(self, name: str) -> TypedColumn:
        """The type of the column of a name; KeyError when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def table_of(dataset: Dataset, categories: Mapping[str, tuple[str, ...]], public: Integers) -> Table:
    """The typed table of a stored dataset.

    Categories and ranges are the declared ones, else those of the public rows at the given positions.
    """
    import pyarrow as pa

    columns = [
        TypedColumn(
            column.name,
            column.type,
            categories.get(column.name, ()),
            (column.range or _range(dataset, column.name, public)) if column.type == "numeric" else None,
            column.shape,
        )
        for column in dataset.columns
    ]
    target = dataset.description.target if dataset.description is not None else "target"
    rows = dataset.table.select([column.name for column in columns])
    values = dataset.take(TARGET)
    if dataset.classes:
        known = dataset.numbers(TARGET) >= 0
        codes = pa.array(dataset.numbers(TARGET), pa.int32(), mask=~known)
        values = pa.DictionaryArray.from_arrays(codes, pa.array(dataset.classes, pa.string()))
        described = TypedColumn(target, "categorical", dataset.classes)
    else:
        described = TypedColumn(target, "numeric", (), _range(dataset, TARGET, public))
    return Table(rows.append_column(target, values), (*columns, described), target)


def _range(dataset: Dataset, name: str, public: Integers) -> tuple[float, float] | None:
    numbers = dataset.numbers(name, public)
    return (float(numbers.min()), float(numbers.max())) if len(numbers) else None
