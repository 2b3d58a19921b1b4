"""Owners of the rows of a user's table: named by a column, or by the file that a row stands in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assay.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from assay.arrays import Integers


def owners_of(
    table: pa.Table, column: str | None, files: Integers | None, names: Sequence[str]
) -> tuple[pa.Table, Integers | None, tuple[str, ...]]:
    """The table without the column of owners, the owner of each row [rows], and the names of the owners.

    Owners are public: neither the column nor the file of a row is ever a feature. Raises InputError for a row without one.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if column is None:
        if files is None:
            return table, None, ()
        distinct = [name if names.count(name) == 1 else f"{name} ({place + 1})" for place, name in enumerate(names)]
        return table, files, tuple(distinct)
    values = table.column(column).combine_chunks()
    if pa.types.is_nested(values.type):
        raise InputError("dataset.owner", column, "holds no single values", "choose a column of names")
    texts = values.cast(pa.string())
    texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    if texts.null_count:
        limit = f"{texts.null_count} of {len(texts)} rows have no owner"
        raise InputError("dataset.owner", column, limit, "name one in each row")
    owners = sorted(texts.unique().to_pylist())
    if len(owners) > len(texts) / 2 and len(owners) > 2:
        limit = f"names {len(owners)} owners of {len(texts)} rows"
        raise InputError("dataset.owner", column, limit, "choose a column that several rows share")
    codes = pc.index_in(texts, value_set=pa.array(owners, pa.string()))
    return table.drop_columns([column]), np.asarray(codes.to_numpy(zero_copy_only=False), dtype=np.int64), tuple(owners)
