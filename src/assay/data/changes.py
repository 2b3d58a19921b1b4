"""Changes to a dataset that a user may ask for: fewer columns, other column types, another kind, fewer classes."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from assay.data.dataset import TARGET, Dataset
from assay.data.own.columns import check_names, listing
from assay.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from assay.arrays import Floats, Integers


def with_columns(dataset: Dataset, features: Sequence[str] | None, types: Mapping[str, str]) -> Dataset:
    """The dataset with the chosen feature columns, read as the given types; InputError when one does not exist."""
    names = [column.name for column in dataset.columns]
    check_names([*names, TARGET], TARGET, features, types)
    columns = []
    for column in dataset.columns:
        wanted = types.get(column.name, column.type)
        if wanted == "ignore" or (features is not None and column.name not in features):
            continue
        if wanted != column.type and (column.type != "numeric" or wanted != "categorical"):
            limit = f"the column is {column.type}"
            raise InputError(f"dataset.types.{column.name}", wanted, limit, f"use {column.type} or ignore")
        columns.append(replace(column, type=wanted))
    if not columns:
        raise InputError("dataset.types", dict(types), "no feature column is left", "keep one of them")
    population = dataset.population if tuple(columns) == dataset.columns else None
    return replace(dataset, columns=tuple(columns), description=None, population=population)


def with_kind(dataset: Dataset, kind: str) -> Dataset:
    """The dataset as regression or classification; classes that are numbers can be regressed on, not the other way."""
    import numpy as np

    if kind in ("auto", dataset.kind):
        return dataset
    if kind == "regression":
        try:
            levels = [float(name) for name in dataset.classes]
        except ValueError as error:
            limit = f"the classes are {', '.join(dataset.classes[:3])}, not numbers"
            raise InputError("dataset.kind", kind, limit, "use dataset.kind=classification") from error
        values = np.asarray(levels)[dataset.numbers(TARGET)]
        return replace(dataset, table=_with_target(dataset, values), kind=kind, classes=(), population=None)
    raise InputError("dataset.kind", kind, "the target is a quantity, not a class", "use dataset.kind=regression")


def with_classes(dataset: Dataset, classes: Sequence[str] | Sequence[Sequence[str]] | None) -> Dataset:
    """The dataset with the rows of these classes alone, renumbered in their order; classes of an inner list become one.

    The table keeps its rows, so that ids and positions stay what they were. Raises InputError for a class that does not
    exist or is named twice, for fewer than two, and for a regression dataset.
    """
    import numpy as np

    if classes is None:
        return dataset
    key, said = "dataset.classes", str(classes)
    if dataset.kind == "regression":
        raise InputError(key, said, "the target is a quantity, not a class", "leave it null")
    groups = [[group] if isinstance(group, str) else list(group) for group in classes]
    if len(groups) < 2 or not all(groups):
        raise InputError(key, said, "needs two classes or more", f"of {listing(dataset.classes)}")
    named = [name for group in groups for name in group]
    for name in named:
        if name not in dataset.classes:
            folded = {known.casefold(): known for known in dataset.classes}
            near = difflib.get_close_matches(str(name).casefold(), folded, n=1)
            remedy = f"did you mean {folded[near[0]]!r}?" if near else f"one of {listing(dataset.classes)}"
            raise InputError(key, name, "no such class", remedy)
        if named.count(name) > 1:
            raise InputError(key, name, "is named twice", "name each class once")
    number = np.full(len(dataset.classes), -1, dtype=np.int64)
    for place, group in enumerate(groups):
        number[[dataset.classes.index(name) for name in group]] = place
    target = number[dataset.numbers(TARGET)]
    return replace(
        dataset,
        table=_with_target(dataset, target),
        classes=tuple("+".join(group) for group in groups),
        chosen=np.flatnonzero(target >= 0),
        population=None,
    )


def _with_target(dataset: Dataset, target: Floats | Integers) -> pa.Table:
    import pyarrow as pa

    table = dataset.table
    return table.set_column(table.column_names.index(TARGET), TARGET, pa.array(target))
