"""A parquet file out of its bytes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.data.own.arrow import aside_of
from assay.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa


def read_names(file: Path, content: bytes) -> tuple[list[str], dict[str, str]]:
    """Names of the columns, and the index among them; InputError when the file is empty, no parquet file or without rows."""
    parquet = _opened(file, content)
    if parquet.metadata.num_rows == 0:
        raise InputError("dataset.path", file, "the file has no rows", "it needs rows")
    schema = parquet.schema_arrow
    return [str(name) for name in schema.names], aside_of(schema)


def read_table(file: Path, content: bytes) -> pa.Table:
    """The columns with the types that the file gives them; InputError for a damaged file."""
    import pyarrow as pa

    try:
        table: pa.Table = _opened(file, content).read()
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise _damaged(file) from error
    return table


def _opened(file: Path, content: bytes) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not content:
        raise InputError("dataset.path", file, "the file is empty", "it needs columns and rows")
    if not content.startswith(b"PAR1"):
        raise InputError("dataset.path", file, "is not a parquet file", "dataset=csv reads text tables")
    try:
        return pq.ParquetFile(pa.BufferReader(content))
    except (pa.ArrowException, OSError) as error:
        raise _damaged(file) from error


def _damaged(file: Path) -> InputError:
    return InputError(
        "dataset.path", file, "is not a parquet file, or is damaged", "write it again, or use dataset=csv for text"
    )
