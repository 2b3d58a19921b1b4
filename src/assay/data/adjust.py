"""Changes to a dataset of the catalogue that a user may ask for: fewer columns, other column types, another kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from assay.data.columns import check_names
from assay.data.dataset import TARGET, Dataset
from assay.errors import InputError


def with_columns(dataset: Dataset, features: Sequence[str] | None, types: Mapping[str, str]) -> Dataset:
    """The dataset with the chosen feature columns, read as the given types; InputError when one does not exist."""
    names = [column.name for column in dataset.columns]
    check_names([*names, TARGET], TARGET, features, types)
    kept = []
    for column in dataset.columns:
        wanted = types.get(column.name, column.type)
        if wanted == "ignore" or (features is not None and column.name not in features):
            continue
        if wanted != column.type and (column.type != "numeric" or wanted != "categorical"):
            limit = f"the column is {column.type}"
            raise InputError(f"dataset.types.{column.name}", wanted, limit, f"use {column.type} or ignore")
        kept.append(replace(column, type=wanted))
    if not kept:
        raise InputError("dataset.types", dict(types), "no feature column is left", "keep one of them")
    return replace(dataset, columns=tuple(kept), description=None)


def with_kind(dataset: Dataset, kind: str) -> Dataset:
    """The dataset as regression or classification; classes that are numbers can be regressed on, not the other way."""
    if kind in ("auto", dataset.kind):
        return dataset
    if kind == "regression":
        try:
            levels = [float(name) for name in dataset.classes]
        except ValueError as error:
            limit = f"the classes are {', '.join(dataset.classes[:3])}, not numbers"
            raise InputError("dataset.kind", kind, limit, "use dataset.kind=classification") from error
        return replace(dataset, table=_regression_table(dataset, levels), kind=kind, classes=())
    raise InputError("dataset.kind", kind, "the target is a quantity, not a class", "use dataset.kind=regression")


def _regression_table(dataset: Dataset, levels: list[float]) -> object:
    import numpy as np
    import pyarrow as pa

    from assay.data.cache import hugging_face

    table = dataset.table.data.table
    values = pa.array(np.asarray(levels)[dataset.numbers(TARGET)])
    return hugging_face().Dataset(table.set_column(table.column_names.index(TARGET), TARGET, values))
