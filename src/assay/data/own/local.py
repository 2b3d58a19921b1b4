"""A user's own table: csv, parquet, or a Hugging Face dataset (hub id or saved folder)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assay.data.dataset import Dataset, build_dataset
from assay.data.own.columns import (
    check_names,
    csv_header,
    existing,
    header,
    local_checksum,
    not_decoded,
    read_as,
    type_override,
)
from assay.data.own.inference import check_values, column_types, target_kind
from assay.data.records import Description, Provenance
from assay.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from assay.arrays import Floats, Integers


def load_table(
    path: str,
    *,
    kind: str,
    modality: str,
    target: str | None,
    features: Sequence[str] | None,
    types: Mapping[str, str],
    missing: str = "error",
    encoding: str = "utf-8",
) -> Dataset:
    """A csv or parquet file as a dataset; raises InputError for what the user can mend."""
    file = existing(path)
    check_names(header(file, encoding), target, features, types)
    table = _read_parquet(file) if file.suffix in (".parquet", ".pq") else _read_csv(file, encoding)
    provenance = Provenance("local path", file.name, local_checksum(file))
    return table_dataset(
        table,
        provenance,
        kind=kind,
        modality=modality,
        target=target,
        features=features,
        types=types,
        missing=missing,
    )


def _read_csv(file: Path, encoding: str) -> pd.DataFrame:
    import pandas as pd

    names, delimiter = csv_header(file, encoding)
    try:
        with warnings.catch_warnings():
            # Cells beyond the header would be dropped with no more than a warning.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                file,
                sep=delimiter,
                header=0,
                names=names,
                encoding=read_as(encoding),
                skipinitialspace=True,
                index_col=False,
            )
    except UnicodeDecodeError as error:
        raise not_decoded(file, encoding) from error
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        reason = " ".join(str(error).split())
        raise InputError("dataset.path", file, reason, "every row needs as many cells as the header") from error


def _read_parquet(file: Path) -> pd.DataFrame:
    import pandas as pd

    return pd.read_parquet(file)


def table_dataset(
    table: pd.DataFrame,
    provenance: Provenance,
    *,
    kind: str,
    modality: str,
    target: str | None,
    features: Sequence[str] | None,
    types: Mapping[str, str],
    partition: Integers | None = None,
    classes: Sequence[str] | None = None,
    missing: str = "error",
) -> Dataset:
    """A dataset out of a table; column types and the kind of target are inferred where not given.

    missing=drop leaves out rows with a missing cell in the target or a kept column; ids stay positions in the table.
    """
    import numpy as np

    check_names([str(name) for name in table.columns], target, features, types)
    assert target is not None
    if len(table) == 0:
        raise InputError("dataset.path", provenance.source, "no rows", "it needs rows")
    kept = table[list(features)] if features is not None else table.drop(columns=target)
    overrides = dict(types)
    if modality == "text":
        overrides = {name: "text" for name in kept.columns if not _is_number(kept[name])} | overrides
    found, left_out = column_types(kept, overrides, provenance.source)
    if not found:
        raise InputError("dataset.features", "none", "no feature column is left", "set dataset.types for one of them")
    everything = len(table)
    ids = _complete_rows(table[[*found, target]]) if missing == "drop" else np.arange(everything)
    table, partition = table.iloc[ids], None if partition is None else partition[ids]
    check_values(table, found, target, provenance.source)
    kind = target_kind(table[target], kind)
    labels: list[str] = []
    values: Floats | Integers
    if kind == "regression":
        values = np.asarray(table[target], dtype=np.float64)
    else:
        labels, values = class_index(table[target], classes)
    columns = {name: _values(table[name], column_type) for name, column_type in found.items()}
    if features is not None:
        left_out |= {name: "not in dataset.features" for name in table.columns if name not in {*features, target}}
    return build_dataset(
        columns,
        values,
        kind=kind,
        classes=labels,
        types=found,
        provenance=provenance,
        partition=partition,
        ids=ids,
        description=Description(target, found, left_out, everything, everything - len(ids)),
    )


def _complete_rows(table: pd.DataFrame) -> Integers:
    """Positions of the rows without a missing cell."""
    import numpy as np

    complete = table.notna()
    rows = np.flatnonzero(complete.all(axis=1))
    if len(rows) == 0:
        worst = str(complete.sum().idxmin())
        limit = f"every row has a missing cell (most of them in column {worst!r})"
        raise InputError("dataset.missing", "drop", limit, f"leave columns out, e.g. {type_override(worst, 'ignore')}")
    return rows.astype(np.int64)


def class_index(column: pd.Series, classes: Sequence[str] | None = None) -> tuple[list[str], Integers]:
    """Class names in sorted order (numbers by size) and the index of each row's class [rows]."""
    import numpy as np
    import pandas as pd

    if classes is not None:
        return list(classes), np.asarray(column, dtype=np.int64)
    codes, distinct = pd.factorize(column, sort=True)
    whole = pd.api.types.is_float_dtype(column) and bool((column % 1 == 0).all())
    return [str(int(value)) if whole else str(value) for value in distinct], np.asarray(codes, dtype=np.int64)


def _is_number(column: pd.Series) -> bool:
    import pandas as pd

    return bool(pd.api.types.is_numeric_dtype(column))


def _values(column: pd.Series, column_type: str) -> object:
    import pandas as pd

    return pd.to_numeric(column).to_numpy() if column_type == "numeric" else column.astype(str).tolist()
