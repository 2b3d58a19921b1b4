"""A user's table, stored without looking at its private rows: they pass through maps that public rows alone decide."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from assay.data.dataset import Dataset, build_dataset
from assay.data.own.cells import Cells
from assay.data.own.classes import class_index, is_boolean
from assay.data.own.columns import type_override
from assay.data.own.conformity import check_conformity
from assay.data.own.faults import raise_faults
from assay.data.own.images import decoded, pixels_of, shape_of
from assay.data.own.inference import check_varies
from assay.data.own.remarks import readings
from assay.data.own.schema import Schema
from assay.data.own.storage import (
    RawTable,
    Wanted,
    as_declared,
    checked_columns,
    chosen_types,
    declared_categories,
    declared_ranges,
    no_features,
    target_values,
)
from assay.data.provenance import Description
from assay.errors import InputError

if TYPE_CHECKING:
    from assay.arrays import Flags, Floats, Integers

_logger = logging.getLogger(__name__)


def stored_blind(
    raw: RawTable,
    wanted: Wanted,
    schema: Schema | None,
    valid: Callable[[int, Integers | None], Integers],
) -> Dataset:
    """The dataset of a table of which only the rows that `valid` names are public.

    Types, categories, classes and ranges come from the schema, else from the public rows. No row is dropped: a missing or
    unreadable number becomes the public mean, a number out of range its nearest bound, an unknown category none at all,
    an unknown label the first class. Each such map reads one cell, so that changing a private cell changes its own row
    alone. An InputError depends on names of columns, public rows and the schema, never on a private cell.
    """
    # a column of texts and one of numbers must be read alike: a single private cell makes the one of the other
    raw = replace(raw, written=True)
    columns, target = checked_columns(raw, wanted)
    rows = valid(len(raw), raw.partition)
    public = as_declared({name: cells.take(rows) for name, cells in columns.items()}, schema)
    # numbers, booleans and words for a missing cell are as the public rows write them, whatever a private row does
    columns = {name: cells.read_as(public[name].reading) for name, cells in columns.items()}
    chosen = chosen_types(public, wanted, schema, raw, judged=False)
    raise_faults(chosen.faults, raw.provenance.source, raw.conventions.na)
    types, left_out = chosen.used, chosen.left_out
    if schema is None:
        _leave_out_counters(public, rows, types, left_out, wanted.types or {})
    _check_public(public, types, left_out, target, schema, raw.provenance.source)
    classes, public_target = target_values(public[target], wanted, raw.classes, schema)
    fixed = {name: _map_of(public[name], kind, schema) for name, kind in types.items()}
    values = {name: mapping(columns[name]) for name, mapping in fixed.items()}
    if classes:
        index = class_index(columns[target], classes, public[target].is_boolean or is_boolean(classes))
        labels: Any = index.clip(min=0)
        unknown = index < 0
    else:
        numeric = _Numeric.of(public_target, None if schema is None else schema.columns[target].range)
        labels, unknown = numeric(columns[target]), numeric.replaces(columns[target])
    used = {name: public[name] for name in [*types, target]}
    _note(columns, fixed, target, unknown, rows)
    return build_dataset(
        values,
        labels,
        kind="classification" if classes else "regression",
        classes=classes,
        types=types,
        categories=declared_categories(types, schema),
        ranges=declared_ranges(types, schema),
        provenance=raw.provenance,
        partition=raw.partition,
        source=raw.owners,
        source_names=raw.owner_names,
        description=Description(
            target,
            types,
            left_out,
            len(raw),
            notes=(*raw.notes, *readings(used)),
            cautions=tuple(chosen.cautions),
        ),
    )


def _leave_out_counters(
    public: Mapping[str, Cells],
    rows: Integers,
    types: dict[str, str],
    left_out: dict[str, str],
    given: Mapping[str, str],
) -> None:
    """Take out the columns whose number is the row's position plus a constant: they identify rows."""
    for name in [name for name, kind in types.items() if kind == "numeric" and name not in given]:
        offset = public[name].numbers - rows
        if len(rows) > 2 and (offset == offset[0]).all():
            del types[name]
            left_out[name] = "identifies rows"
            remedy = f"{type_override(name, 'numeric')} keeps it"
            warnings.warn(f"column {name!r} is left out: it counts the rows ({remedy})", stacklevel=2)


def _check_public(
    public: Mapping[str, Cells],
    types: Mapping[str, str],
    left_out: Mapping[str, str],
    target: str,
    schema: Schema | None,
    source: str,
) -> None:
    """Raise InputError for public rows that nothing can be learnt from, or that contradict the schema."""
    import numpy as np

    if not types:
        raise no_features(left_out)
    if public[target].missing:
        limit = f"column {target!r} has {public[target].missing} missing (NaN) values in the valid rows"
        raise InputError("dataset.path", source, limit, "fill them: valid rows are public and judge the others")
    for name, kind in {**types, target: "target"}.items():
        cells = public[name]
        if kind == "numeric" and not np.isfinite(cells.numbers).any():
            limit = f"column {name!r} has no number in the valid rows"
            raise InputError("dataset.path", source, limit, f"leave it out with {type_override(name, 'ignore')}")
        if schema is None and kind != "image":
            check_varies(cells, name == target, source)
    if schema is not None:
        check_conformity(public, types, target, schema)


@dataclass(frozen=True)
class _Numeric:
    """Numbers as they are; what is none becomes the public mean, what is out of range its nearest bound."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, public: Floats | Integers, bounds: list[float] | None) -> _Numeric:
        """The map that public numbers and a declared range decide."""
        import numpy as np

        low, high = (-np.inf, np.inf) if bounds is None else bounds
        finite = public[np.isfinite(public)].clip(low, high)
        return cls(float(finite.mean()) if len(finite) else 0.0, low, high)

    def __call__(self, cells: Cells) -> Floats:
        """The number of each row."""
        import numpy as np

        return np.where(np.isfinite(cells.numbers), cells.numbers, self.mean).clip(self.low, self.high)

    def replaces(self, cells: Cells) -> Flags:
        """True where the cell of a row is not used as it is."""
        import numpy as np

        numbers = cells.numbers
        return np.asarray(~np.isfinite(numbers) | (numbers < self.low) | (numbers > self.high))


@dataclass(frozen=True)
class _Categorical:
    """Categories as they are; the encoding gives none of its indicators to one that is not listed."""

    boolean: bool
    known: frozenset[str]

    def __call__(self, cells: Cells) -> Any:
        """The category of each row, null where it is missing or unknown."""
        import pyarrow as pa
        import pyarrow.compute as pc

        labels = cells.labels(self.boolean)
        listed = pc.is_in(labels, value_set=pa.array(sorted(self.known), pa.string()))
        return pc.if_else(listed, labels, pa.scalar(None, pa.string()))

    def replaces(self, cells: Cells) -> Flags:
        """True where the cell of a row is not used as it is."""
        import numpy as np

        return np.asarray(self(cells).is_null().to_numpy(zero_copy_only=False), dtype=bool)


@dataclass(frozen=True)
class _Image:
    """Images as they are; black where one is missing, is none, or of another shape than the public ones."""

    shape: tuple[int, ...]

    def __call__(self, cells: Cells) -> Any:
        """The pixels of each row."""
        return pixels_of(cells, self.shape)

    def replaces(self, cells: Cells) -> Flags:
        """True where the cell of a row is not used as it is."""
        import numpy as np

        shapes = (None if pixels is None else pixels.shape for pixels in map(decoded, cells.column.to_pylist()))
        return np.array([shape != self.shape for shape in shapes], dtype=bool)


@dataclass(frozen=True)
class _Text:
    """Texts as they are; a missing one is empty."""

    def __call__(self, cells: Cells) -> Any:
        """The text of each row."""
        return cells.texts.fill_null("")

    def replaces(self, cells: Cells) -> Flags:
        """True where the cell of a row is not used as it is."""
        return ~cells.present


def _map_of(public: Cells, kind: str, schema: Schema | None) -> _Numeric | _Categorical | _Text | _Image:
    described = None if schema is None else schema.columns[public.name]
    if kind == "numeric":
        return _Numeric.of(public.numbers, None if described is None else described.range)
    if kind == "text":
        return _Text()
    if kind == "image":
        return _Image(shape_of(public) or ())
    if described is not None and described.categories is not None:
        return _Categorical(is_boolean(described.categories), frozenset(described.categories))
    seen = public.labels(public.is_boolean).drop_null().unique().to_pylist()
    return _Categorical(public.is_boolean, frozenset(seen))


def _note(columns: Mapping[str, Cells], fixed: Mapping[str, Any], target: str, unknown: Flags, rows: Integers) -> None:
    """Count the cells that were replaced: in the log those of private rows, as a warning those of public ones."""
    import numpy as np

    private = np.ones(len(unknown), dtype=bool)
    private[rows] = False
    replaced = {name: mapping.replaces(columns[name]) for name, mapping in fixed.items()} | {target: unknown}
    for name, flags in replaced.items():
        if flags[private].any():
            _logger.info("column %r: %d private cells are replaced by a public value", name, flags[private].sum())
        if flags[rows].any():
            warnings.warn(f"column {name!r}: {flags[rows].sum()} cells of valid rows are replaced", stacklevel=2)
