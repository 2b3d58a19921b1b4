"""A file with a JSON object a line out of its bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa


def read_objects(file: Path, content: bytes) -> pa.Table:
    """The values by their keys, null where an object lacks one; InputError for a line that is no object.

    Values that are not of one type in a column become texts, as lists and mappings always do.
    """
    import pyarrow as pa

    objects = _objects(file, content)
    if not objects:
        raise InputError("dataset.path", file, "the file has no rows", "it needs an object a line")
    names = list(dict.fromkeys(name for each in objects for name in each))
    return pa.table({name: _column([each.get(name) for each in objects]) for name in names})


def _objects(file: Path, content: bytes) -> list[dict[str, Any]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            "dataset.path", file, f"is not UTF-8 text at byte {error.start}", "save it as UTF-8"
        ) from error
    if text.lstrip().startswith("["):
        try:
            entries = json.loads(text, parse_constant=_none)
        except ValueError as error:
            raise InputError("dataset.path", file, f"is no JSON: {error}", "mend it") from error
        return [_checked(file, each, f"entry {place + 1}") for place, each in enumerate(entries)]
    objects = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                entry = json.loads(line, parse_constant=_none)
            except ValueError as error:
                limit = f"line {number} is no JSON: {str(error).partition(':')[0]}"
                raise InputError(
                    "dataset.path", file, limit, "it needs an object a line; dataset=csv reads text tables"
                ) from error
            objects.append(_checked(file, entry, f"line {number}"))
    return objects


def _none(name: str) -> float | None:
    """NaN is a missing value, and infinity a number."""
    return None if name == "NaN" else float(name)


def _checked(file: Path, entry: Any, place: str) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise InputError("dataset.path", file, f"{place} is no object", 'write {"column": value, ...}')
    return entry


def _column(values: list[Any]) -> pa.Array:
    import pyarrow as pa

    # a list or mapping is its text, whatever the others are: no cell decides on the kind of another
    values = [_text(value) if isinstance(value, list | dict) else value for value in values]
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError):
        return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
