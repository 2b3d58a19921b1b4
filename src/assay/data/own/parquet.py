"""A parquet file out of its bytes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

# the name under which pandas stores an index without a name, which is no column of the user's
_INDEX = re.compile(r"__index_level_\d+__")


def read_names(file: Path, content: bytes) -> list[str]:
    """Names of the columns; InputError when the file is empty, no parquet file or without rows."""
    parquet = _opened(file, content)
    if parquet.metadata.num_rows == 0:
        raise InputError("dataset.path", file, "the file has no rows", "it needs rows")
    return [str(name) for name in parquet.schema_arrow.names if not _INDEX.fullmatch(name)]


def read_table(file: Path, content: bytes) -> pa.Table:
    """The columns with the types that the file gives them."""
    names = read_names(file, content)
    return _opened(file, content).read(columns=names)


def _opened(file: Path, content: bytes) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not content:
        raise InputError("dataset.path", file, "the file is empty", "it needs a header line and rows")
    try:
        return pq.ParquetFile(pa.BufferReader(content))
    except pa.ArrowInvalid as error:
        raise InputError("dataset.path", file, "is not a parquet file", "dataset=csv reads text tables") from error
