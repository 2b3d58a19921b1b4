"""From a user's table as the file stores it to a dataset in storage form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.data.dataset import Dataset, build_dataset
from assay.data.own.cells import Cells
from assay.data.own.classes import class_index, class_names
from assay.data.own.columns import check_names, type_override
from assay.data.own.conformity import check_conformity
from assay.data.own.inference import check_values, column_types, target_kind
from assay.data.provenance import Description, Provenance
from assay.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from assay.arrays import Floats, Integers
    from assay.data.own.schema import Schema


@dataclass(frozen=True, eq=False)
class RawTable:
    """The cells of a table, with what the file says beside them."""

    table: pa.Table
    written: bool  # whether numbers are written as text, as in a csv file
    provenance: Provenance
    partition: Integers | None = None  # 0 for the official train rows, 1 for the official test rows
    classes: tuple[str, ...] | None = None  # names of a target that is stored as codes

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def columns(self) -> dict[str, Cells]:
        """The cells of each column by its name."""
        import pyarrow as pa

        columns = {}
        for name in self.table.column_names:
            column = self.table.column(name).combine_chunks()
            array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
            if pa.types.is_dictionary(array.type):
                array = array.dictionary_decode()
            columns[name] = Cells(name, array, self.written)
        return columns


@dataclass(frozen=True)
class Wanted:
    """The columns that a user asks for, and how they are to be read."""

    target: str | None
    features: list[str] | None = None
    types: Mapping[str, str] | None = None
    kind: str = "auto"
    modality: str = "auto"
    missing: str = "error"


def stored(raw: RawTable, wanted: Wanted, schema: Schema | None = None) -> Dataset:
    """The dataset of a table, judged by all its rows; types and kind of target are inferred where not given.

    missing=drop leaves out rows with a missing cell in the target or a used column; ids stay positions in the table.
    Raises InputError for what a user can mend.
    """
    import numpy as np

    columns, target = checked_columns(raw, wanted)
    types, left_out = chosen_types(columns, wanted, schema, raw.provenance.source)
    everything = len(raw)
    ids = np.arange(everything, dtype=np.int64)
    partition = raw.partition
    if wanted.missing == "drop":
        ids = _complete_rows({name: columns[name] for name in [*types, target]})
        columns = {name: columns[name].take(ids) for name in [*types, target]}
        partition = None if partition is None else partition[ids]
    check_values(columns, types, target, raw.provenance.source)
    if schema is not None:
        check_conformity(columns, types, target, schema)
    classes, values = target_values(columns[target], wanted, raw.classes, schema)
    return build_dataset(
        {name: _values(columns[name], kind) for name, kind in types.items()},
        values,
        kind="classification" if classes else "regression",
        classes=classes,
        types=types,
        categories=declared_categories(types, schema),
        ranges=declared_ranges(types, schema),
        provenance=raw.provenance,
        partition=partition,
        ids=ids,
        description=Description(target, types, left_out, everything, everything - len(ids)),
    )


def checked_columns(raw: RawTable, wanted: Wanted) -> tuple[dict[str, Cells], str]:
    """The cells of all columns, and the target; InputError for a name that is not there, and for a table without rows."""
    check_names(raw.table.column_names, wanted.target, wanted.features, wanted.types or {})
    assert wanted.target is not None
    if len(raw) == 0:
        raise InputError("dataset.path", raw.provenance.source, "no rows", "it needs rows")
    return raw.columns(), wanted.target


def chosen_types(
    columns: Mapping[str, Cells], wanted: Wanted, schema: Schema | None, source: str
) -> tuple[dict[str, str], dict[str, str]]:
    """The type of each feature column that is used, and why each other one is left out."""
    names = wanted.features if wanted.features is not None else [name for name in columns if name != wanted.target]
    features = {name: columns[name] for name in names}
    overrides: dict[str, str] = dict(wanted.types or {})
    if schema is not None:
        overrides = {name: schema.columns[name].type for name in features}
    elif wanted.modality == "text":
        texts = {name: "text" for name, cells in features.items() if not cells.is_number and not cells.is_boolean}
        overrides = texts | overrides
    types, left_out = column_types(features, overrides, source)
    if not types:
        raise InputError("dataset.features", "none", "no feature column is left", "set dataset.types for one of them")
    if wanted.features is not None:
        left_out |= {name: "not in dataset.features" for name in columns if name not in {*names, wanted.target}}
    return types, left_out


def _complete_rows(columns: Mapping[str, Cells]) -> Integers:
    """Positions of the rows without a missing cell."""
    import numpy as np

    present = {name: cells.present for name, cells in columns.items()}
    rows = np.flatnonzero(np.logical_and.reduce(list(present.values())))
    if len(rows) == 0:
        worst = min(present, key=lambda name: int(present[name].sum()))
        limit = f"every row has a missing cell (most of them in column {worst!r})"
        raise InputError("dataset.missing", "drop", limit, f"leave columns out, e.g. {type_override(worst, 'ignore')}")
    return rows.astype(np.int64)


def target_values(
    cells: Cells, wanted: Wanted, names: tuple[str, ...] | None, schema: Schema | None
) -> tuple[list[str], Floats | Integers]:
    """Names of the classes, none for a regression, and the target of each row [rows]: index of its class, or number."""
    import numpy as np

    if schema is not None:
        described = schema.columns[cells.name]
        if described.type == "numeric":
            return [], cells.numbers
        assert described.categories is not None
        return described.categories, class_index(cells, described.categories)
    if target_kind(cells, wanted.kind) == "regression":
        return [], cells.numbers
    if names is not None:
        return list(names), np.asarray(cells.numbers, dtype=np.int64)
    classes = class_names(cells)
    return classes, class_index(cells, classes)


def declared_categories(types: Mapping[str, str], schema: Schema | None) -> dict[str, list[str]]:
    """The categories that a schema gives to columns."""
    if schema is None:
        return {}
    given = {name: schema.columns[name].categories for name in types}
    return {name: categories for name, categories in given.items() if categories is not None}


def declared_ranges(types: Mapping[str, str], schema: Schema | None) -> dict[str, tuple[float, float]]:
    """The lowest and highest number that a schema gives to columns."""
    if schema is None:
        return {}
    given = {name: schema.columns[name].range for name in types}
    return {name: (bounds[0], bounds[1]) for name, bounds in given.items() if bounds is not None}


def _values(cells: Cells, kind: str) -> Any:
    if kind == "numeric":
        return cells.numbers
    return cells.labels(cells.is_boolean and kind == "categorical")
