"""From a user's table as the file stores it to a dataset in storage form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from assay.data.dataset import Dataset, build_dataset
from assay.data.own.cells import Cells
from assay.data.own.classes import class_index, class_names
from assay.data.own.columns import INDEX, check_names, type_override
from assay.data.own.conformity import check_conformity
from assay.data.own.faults import Fault, missing_fault, raise_faults
from assay.data.own.images import pixels_of, shape_of
from assay.data.own.inference import Types, column_types, target_kind, value_faults
from assay.data.own.reading import TEXT, WORDS, Conventions, Reading
from assay.data.own.remarks import readings, variants
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
    classes: tuple[str, ...] | None = None  # names of all classes, where the file states them
    conventions: Conventions = field(default_factory=Conventions)
    aside: Mapping[str, str] = field(
        default_factory=dict
    )  # columns that by the form of the file are no features, and why
    images: frozenset[str] = frozenset()  # columns of encoded images
    owners: Integers | None = None  # the source of each row
    owner_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()  # on what was read and what was not

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def columns(self) -> dict[str, Cells]:
        """The cells of each column by its name."""
        import pyarrow as pa

        columns = {}
        for name in self.table.column_names:
            column = self.table.column(name).combine_chunks()
            array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
            array, given = _plain_array(array)
            columns[name] = Cells(name, array, self.written, self.conventions, given, name in self.images)
        return columns


def _plain_array(array: pa.Array) -> tuple[pa.Array, Reading | None]:
    """The cells in the plainest type that has them all, and the reading of texts that the file calls categories."""
    import pyarrow as pa
    import pyarrow.compute as pc

    given = None
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
        given = TEXT if pa.types.is_string(array.type) or pa.types.is_large_string(array.type) else None
    if pa.types.is_run_end_encoded(array.type):
        array = pc.run_end_decode(array)
    if pa.types.is_string_view(array.type):
        array = array.cast(pa.string())
    if pa.types.is_binary_view(array.type):
        array = array.cast(pa.binary())
    return array, given


@dataclass(frozen=True)
class Wanted:
    """The columns that a user asks for, and how they are to be read."""

    target: str | None
    features: list[str] | None = None
    types: Mapping[str, str] | None = None
    kind: str = "auto"
    modality: str = "auto"
    missing: str = "error"
    index: str | None = None


def stored(raw: RawTable, wanted: Wanted, schema: Schema | None = None) -> Dataset:
    """The dataset of a table, judged by all its rows; types and kind of target are inferred where not given.

    missing=drop leaves out rows with a missing cell in the target or a used column; ids stay positions in the table.
    Raises one InputError for all that a user can mend.
    """
    import numpy as np

    columns, target = checked_columns(raw, wanted)
    raw, columns = _with_labelled_test(raw, columns, target)
    columns = as_declared(columns, schema)
    types = chosen_types(columns, wanted, schema, raw)
    everything, source = len(raw), raw.provenance.source
    if columns[target].is_empty:
        limit = "has no value in any row"
        raise_faults([*types.faults, Fault("dataset.target", target, limit, "choose another target")], source)
    ids = np.arange(everything, dtype=np.int64)
    faults, drop = list(types.faults), wanted.missing == "drop"
    used = {name: columns[name] for name in [*types.used, target]}
    if drop:
        try:
            ids = complete_rows(used)
        except InputError as error:
            raise_faults([*faults, Fault.of(error)], source, raw.conventions.na)
        used = {name: cells.take(ids).read_as(cells.reading) for name, cells in used.items()}
        _leave_out_constants(used, types, wanted, schema)
    missing = missing_fault(used, list(types.used), target, source)
    faults += [missing] if missing else []
    faults += value_faults(used, types.used, target, source)
    classes: list[str] = []
    values: Floats | Integers = np.zeros(0)
    try:
        if schema is not None:
            check_conformity(used, types.used, target, schema)
        classes, values = target_values(used[target], wanted, raw.classes, schema)
    except InputError as error:
        faults += [] if any(fault.value == error.value for fault in faults) else [Fault.of(error)]
    raise_faults(faults, source, raw.conventions.na)
    if not types.used:
        raise no_features(types.left_out)
    cautions = [*types.cautions, *variants({name: used[name] for name in [*types.used, target]}, types.used, classes)]
    return build_dataset(
        {name: _values(used[name], kind) for name, kind in types.used.items()},
        values,
        kind="classification" if classes else "regression",
        classes=classes,
        types=types.used,
        categories=declared_categories(types.used, schema),
        ranges=declared_ranges(types.used, schema),
        provenance=raw.provenance,
        partition=None if raw.partition is None else raw.partition[ids],
        source=None if raw.owners is None else raw.owners[ids],
        source_names=raw.owner_names,
        ids=ids,
        description=Description(
            target,
            types.used,
            types.left_out,
            everything,
            everything - len(ids),
            notes=(*raw.notes, *readings(used)),
            cautions=tuple(cautions),
        ),
    )


def _with_labelled_test(raw: RawTable, columns: dict[str, Cells], target: str) -> tuple[RawTable, dict[str, Cells]]:
    """The table without its official test rows where none of them has a label: a score on them would mean nothing."""
    import numpy as np
    import pyarrow as pa

    if raw.partition is None:
        return raw, columns
    official = raw.partition == 1
    if columns[target].present[official].any():
        return raw, columns
    rows = np.flatnonzero(~official)
    note = f"the {int(official.sum())} rows of the official test part have no label and are left out: test is drawn from train"
    owners = None if raw.owners is None else raw.owners[rows]
    raw = replace(raw, table=raw.table.take(pa.array(rows)), partition=None, owners=owners, notes=(*raw.notes, note))
    return raw, raw.columns()


def _leave_out_constants(used: dict[str, Cells], types: Types, wanted: Wanted, schema: Schema | None) -> None:
    """Leave out the columns that have one value once rows are dropped."""
    for name in list(types.used):
        if schema is None and name not in (wanted.types or {}) and used[name].distinct < 2:
            del types.used[name]
            types.left_out[name] = "one value only"


def no_features(left_out: Mapping[str, str]) -> InputError:
    """The error for a table of which no feature column is left."""
    reasons = "".join(f", {name} ({reason})" for name, reason in list(left_out.items())[:4])
    limit = "no feature column is left" + (f": {reasons[2:]}" if reasons else "")
    return InputError("dataset.features", "none", limit, "set dataset.types for one of them")


def checked_columns(raw: RawTable, wanted: Wanted) -> tuple[dict[str, Cells], str]:
    """The cells of all columns, and the target; InputError for a name that is not there, and for a table without rows."""
    check_names(raw.table.column_names, wanted.target, wanted.features, wanted.types or {})
    assert wanted.target is not None
    if len(raw) == 0:
        raise InputError("dataset.path", raw.provenance.source, "no rows", "it needs rows")
    return raw.columns(), wanted.target


def as_declared(columns: dict[str, Cells], schema: Schema | None) -> dict[str, Cells]:
    """The cells, as texts where the schema lists NA or its like among the categories."""
    if schema is None:
        return columns
    listed = {name: frozenset(described.categories or ()) for name, described in schema.columns.items()}
    worded = {name for name, categories in listed.items() if not categories.isdisjoint(WORDS)}
    return {name: cells.read_as(TEXT) if name in worded else cells for name, cells in columns.items()}


def chosen_types(
    columns: Mapping[str, Cells], wanted: Wanted, schema: Schema | None, raw: RawTable, *, judged: bool = True
) -> Types:
    """The type of each feature column that is used, why each other one is left out, and what is wrong with them."""
    names = wanted.features if wanted.features is not None else [name for name in columns if name != wanted.target]
    features = {name: columns[name] for name in names}
    overrides: dict[str, str] = dict(wanted.types or {})
    if schema is not None:
        overrides = {name: schema.columns[name].type if name in schema.columns else "ignore" for name in features}
    elif wanted.modality == "text":
        words = {name: cells for name, cells in features.items() if not cells.is_nested and name not in raw.aside}
        texts = {name: "text" for name, cells in words.items() if not cells.is_number and not cells.is_boolean}
        overrides = texts | overrides
    aside = dict(raw.aside) if wanted.index is None else {**raw.aside, wanted.index: INDEX}
    types = column_types(
        features, overrides, raw.provenance.source, aside=aside, judged=judged, target=columns[str(wanted.target)]
    )
    if wanted.features is not None:
        types.left_out |= {name: "not in dataset.features" for name in columns if name not in {*names, wanted.target}}
    return types


def complete_rows(columns: Mapping[str, Cells]) -> Integers:
    """Positions of the rows without a missing cell; InputError where there is none."""
    import numpy as np

    present = {name: cells.present for name, cells in columns.items()}
    rows = np.flatnonzero(np.logical_and.reduce(list(present.values())))
    if len(rows) == 0:
        worst = min(present, key=lambda name: int(present[name].sum()))
        limit = f"every row has a missing cell (most of them in column {worst!r})"
        remedy = f"leave columns out, e.g. {type_override(worst, 'ignore')}"
        raise InputError("dataset.missing", "drop", limit, remedy, (f"dataset.types.{worst}=ignore",))
    return rows.astype(np.int64)


def target_values(
    cells: Cells, wanted: Wanted, names: tuple[str, ...] | None, schema: Schema | None
) -> tuple[list[str], Floats | Integers]:
    """Names of the classes, none for a regression, and the target of each row [rows]: index of its class, or number."""
    if schema is not None:
        described = schema.columns[cells.name]
        if described.type == "numeric":
            return [], cells.numbers
        assert described.categories is not None
        return described.categories, class_index(cells, described.categories)
    if target_kind(cells, wanted.kind) == "regression":
        return [], cells.numbers
    classes = class_names(cells) if names is None else list(names)
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
    if kind == "image":
        return pixels_of(cells, shape_of(cells) or ())
    if kind == "numeric":
        return cells.numbers
    return cells.labels(cells.is_boolean and kind == "categorical")
