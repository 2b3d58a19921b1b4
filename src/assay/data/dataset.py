"""A dataset in storage form: an Arrow table whose columns have roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.data.provenance import Description, Provenance

if TYPE_CHECKING:
    import pyarrow as pa

    from assay.arrays import Flags, Floats, Integers
    from assay.data.population import Population

# Role columns are kept apart from features of the same name by a prefix no header has.
TARGET, ID, PARTITION, CLEAN, SOURCE = (f"assay:{role}" for role in ("target", "id", "partition", "clean", "source"))


@dataclass(frozen=True)
class Column:
    """A feature column: its type, its declared categories (None: learnt from valid), the shape of an image, its range."""

    name: str
    type: str  # numeric | categorical | text | image
    categories: tuple[str, ...] | None = None
    shape: tuple[int, ...] = ()
    range: tuple[float, float] | None = None  # lowest and highest number that is said to occur


@dataclass(frozen=True, eq=False)
class Dataset:
    """Immutable rows in Arrow form: feature columns, target, id and, where known, partition, clean and source."""

    table: pa.Table
    columns: tuple[Column, ...]
    kind: str
    classes: tuple[str, ...]
    provenance: Provenance
    source_names: tuple[str, ...] = ()
    description: Description | None = None  # of a user's own table
    population: Population | None = None  # that the rows were drawn from
    chosen: Integers | None = None  # positions of the rows that are used; None: all

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def modality(self) -> str:
        """image or text when a column is one, else table."""
        types = {column.type for column in self.columns}
        return next((modality for modality in ("image", "text") if modality in types), "table")

    def has(self, role: str) -> bool:
        """True where the dataset carries a role column."""
        return role in self.table.column_names

    def take(self, name: str, rows: Integers | None = None) -> pa.Array:
        """Values of one column at the given positions, as one Arrow array."""
        import pyarrow as pa

        column = self.table.column(name)
        chunked = column if rows is None else column.take(pa.array(rows))
        combined = chunked.combine_chunks()
        return combined.chunk(0) if isinstance(combined, pa.ChunkedArray) else combined

    def numbers(self, role: str, rows: Integers | None = None) -> Any:
        """Values of one numeric column at the given positions, as a numpy array."""
        return self.take(role, rows).to_numpy(zero_copy_only=False)


def build_dataset(
    features: Mapping[str, Any],
    target: Floats | Integers,
    *,
    kind: str,
    provenance: Provenance,
    classes: Sequence[str] = (),
    types: Mapping[str, str] | None = None,
    categories: Mapping[str, Sequence[str]] | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    partition: Integers | None = None,
    source: Integers | None = None,
    source_names: Sequence[str] = (),
    clean: Flags | None = None,
    ids: Integers | None = None,
    description: Description | None = None,
    population: Population | None = None,
) -> Dataset:
    """Store columns (arrays [rows], image arrays [rows, ...], Arrow arrays or lists of strings) and roles as one Arrow table.

    A column without a type is numeric. An Arrow array may have nulls, which are no category. partition is 0 for the
    official train rows and 1 for the official test rows; ids are the rows' positions unless given.
    """
    import numpy as np
    import pyarrow as pa

    stored: dict[str, pa.Array] = {}
    columns = []
    for name, values in features.items():
        kind_of_column = (types or {}).get(name, "numeric")
        shape: tuple[int, ...] = ()
        if kind_of_column == "image":
            shape = tuple(int(side) for side in values.shape[1:])
            flat = pa.array(np.ascontiguousarray(values).reshape(-1))
            stored[name] = pa.FixedSizeListArray.from_arrays(flat, int(np.prod(shape)))
        elif kind_of_column == "numeric":
            stored[name] = pa.array(np.asarray(values, dtype=np.float64))
        elif isinstance(values, pa.Array):
            stored[name] = values.cast(pa.string())
        else:
            stored[name] = pa.array([str(value) for value in values], pa.string())
        declared = (categories or {}).get(name)
        bounds = (ranges or {}).get(name)
        columns.append(Column(name, kind_of_column, None if declared is None else tuple(declared), shape, bounds))
    number = np.float64 if kind == "regression" else np.int64
    stored[TARGET] = pa.array(np.asarray(target, dtype=number))
    stored[ID] = pa.array(np.asarray(np.arange(len(target)) if ids is None else ids, dtype=np.int64))
    for role, values in ((PARTITION, partition), (SOURCE, source), (CLEAN, clean)):
        if values is not None:
            stored[role] = pa.array(np.asarray(values, dtype=bool if role == CLEAN else np.int64))
    return Dataset(
        pa.table(stored), tuple(columns), kind, tuple(classes), provenance, tuple(source_names), description, population
    )
