"""An Arrow file, a feather file or an Arrow stream out of its bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from assay.data.own.columns import INDEX
from assay.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa


def read_names(file: Path, content: bytes) -> tuple[list[str], dict[str, str]]:
    """Names of the columns, and the index among them; InputError when the file is none, or has no rows."""
    table = read_table(file, content)
    if table.num_rows == 0:
        raise InputError("dataset.path", file, "the file has no rows", "it needs rows")
    return list(table.column_names), aside_of(table.schema)


def read_table(file: Path, content: bytes) -> pa.Table:
    """The columns with the types that the file gives them; InputError for a file that is none, or is damaged."""
    import pyarrow as pa

    if not content:
        raise InputError("dataset.path", file, "the file is empty", "it needs columns and rows")
    try:
        table = _opened(content)
        table.validate(full=True)  # its readers look no further than the form: false offsets end the process
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise InputError(
            "dataset.path", file, "is not an Arrow file, or is damaged", "dataset=csv reads text tables"
        ) from error
    return table


def _opened(content: bytes) -> pa.Table:
    import pyarrow as pa

    if content.startswith(b"ARROW1"):
        return pa.ipc.open_file(pa.BufferReader(content)).read_all()
    if content.startswith(b"FEA1"):
        import pyarrow.feather

        return pyarrow.feather.read_table(pa.BufferReader(content))
    return pa.ipc.open_stream(pa.BufferReader(content)).read_all()


def aside_of(schema: pa.Schema) -> dict[str, str]:
    """The columns in which pandas stored the index of a frame, with the reason why they are no features."""
    try:
        stored = json.loads((schema.metadata or {}).get(b"pandas", b"{}")).get("index_columns", [])
    except (ValueError, AttributeError):
        return {}
    return {name: INDEX for name in stored if isinstance(name, str) and name in schema.names}
