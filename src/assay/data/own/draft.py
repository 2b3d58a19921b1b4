"""A draft of a schema, derived from the rows of a user's file."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path

from assay.data.own.cells import Cells, number_text
from assay.data.own.classes import class_names
from assay.data.own.columns import check_names
from assay.data.own.files import ArrowTable, CsvTable, ExcelTable, FileTable, JsonLinesTable, ParquetTable
from assay.data.own.inference import column_types, target_kind
from assay.errors import InputError

_KINDS: dict[str, type[FileTable]] = {
    **dict.fromkeys((".parquet", ".pq"), ParquetTable),
    **dict.fromkeys((".arrow", ".feather"), ArrowTable),
    **dict.fromkeys((".jsonl", ".ndjson", ".json"), JsonLinesTable),
    ".xlsx": ExcelTable,
}
_HEAD = """\
# Derived from the rows of {name}: it shows what stands in them. Edit it until it would be the same, whatever stands in a
# private row (ranges and categories as the world has them, not as the table has them); only then set public: true.
public: false
"""


def draft_schema(path: str, target: str | None, encoding: str = "utf-8") -> str:
    """The text of a schema file for a csv or parquet file, not public; InputError for a file that cannot be read."""
    table: FileTable = CsvTable(path=path, encoding=encoding, target=target)
    if (kind := _KINDS.get(Path(path).suffix.lower())) is not None:
        table = kind(path=path, target=target)
    raw = table.unchecked()
    columns = raw.columns()
    if target is not None:
        check_names(list(columns), target, None, {})
    lines = [_HEAD.format(name=Path(path).name).rstrip()]
    lines.append(f"target: {'null' if target is None else json.dumps(target, ensure_ascii=False)}")
    lines.append("columns:")
    for name, cells in columns.items():
        described = _target_line(cells) if name == target else _column_line(cells, raw.aside)
        lines.append(f"  {json.dumps(name, ensure_ascii=False)}: {described}")
    return "\n".join(lines) + "\n"


def write_draft(path: str, target: str | None, out: Path, encoding: str = "utf-8") -> None:
    """Write the draft to a file that is not there yet."""
    if out.exists():
        raise InputError("--out", out, "is there already", "name another file, or remove it")
    if not out.parent.is_dir():
        raise InputError("--out", out, f"there is no folder {out.parent}", "make it, or name another file")
    out.write_text(draft_schema(path, target, encoding), encoding="utf-8")


def _target_line(cells: Cells) -> str:
    if target_kind(cells, "auto") == "regression":
        return _numeric(cells)
    return f"{{type: categorical, categories: {json.dumps(class_names(cells), ensure_ascii=False)}}}"


def _column_line(cells: Cells, aside: Mapping[str, str]) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            types = column_types({cells.name: cells}, {}, aside=aside)
    except InputError as error:
        return f"{{type: ignore}}  # {error.limit}"
    if types.faults:
        return f"{{type: ignore}}  # {types.faults[0].limit}"
    if cells.name in types.left_out:
        return f"{{type: ignore}}  # {types.left_out[cells.name]}"
    if types.used[cells.name] == "numeric":
        return _numeric(cells)
    if types.used[cells.name] == "text":
        return "{type: text}"
    return f"{{type: categorical, categories: {json.dumps(class_names(cells), ensure_ascii=False)}}}"


def _numeric(cells: Cells) -> str:
    import numpy as np

    numbers = cells.numbers[np.isfinite(cells.numbers)]
    if len(numbers) == 0 or numbers.min() == numbers.max():
        return "{type: numeric}"
    return f"{{type: numeric, range: [{number_text(numbers.min())}, {number_text(numbers.max())}]}}"
