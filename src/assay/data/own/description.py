"""The reading of a user's own table: in words for the terminal and the log, in facts for status.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assay.data.own.columns import listing

if TYPE_CHECKING:
    from assay.data.records import PreparedData

MOST_LINES = 5  # on rare classes
FEW_VALID = 30  # with fewer rows to judge by, the values say more of these rows than of the others
_TYPES = ("numeric", "categorical", "text")


def summary(data: PreparedData) -> list[str]:
    """Lines on target, columns and rows of a user's own table; none for other data."""
    described = data.description
    if described is None:
        return []
    kind = f"classification: {listing(data.classes)}" if data.classes else data.kind
    lines = [f"{data.provenance.source}: target {described.target} ({kind})"]
    lines += [f"  {kind}: {', '.join(map(_quoted, names))}" for kind, names in _by_type(data).items() if names]
    lines += [f"  {note}" for note in described.notes]
    if described.left_out:
        reasons = ", ".join(f"{name or repr(name)} ({reason})" for name, reason in described.left_out.items())
        lines.append(f"  left out: {reasons}; dataset.types.COLUMN=TYPE decides otherwise")
    if described.incomplete:
        lines.append(
            f"  {described.incomplete} of {described.rows} rows dropped for a missing cell (dataset.missing=drop)"
        )
    train, valid, test = (len(part) for part in (data.train, data.valid, data.test))
    used, there = train + valid + test, described.rows - described.incomplete
    rows = f"{used} rows" if used == there else f"{used} of {there} rows"
    lines.append(f"  {rows}: {train} train (valued), {valid} valid (held back to judge by), {test} test")
    lines.append("  ids in the results are row positions from 0: the first data row is 0")
    return lines


def cautions(data: PreparedData) -> list[str]:
    """Warnings on a user's own table, a line each; a private run warns of nothing that its private rows show."""
    if data.description is None:
        return []
    lines = [f"warning: {caution}" for caution in data.description.cautions]
    if not data.taken_as_public:
        lines += [f"warning: {caution}" for caution in rare_classes(data)]
    if len(data.valid) < FEW_VALID:
        few = f"valid holds {len(data.valid)} rows only"
        lines.append(f"warning: {few}, and all values are judged by them (raise dataset.split.valid)")
    return lines


def rare_classes(data: PreparedData) -> list[str]:
    """Cautions on the classes that a part of the split lacks."""
    import numpy as np

    if not data.classes:
        return []
    parts = {part: getattr(data, part) for part in ("train", "valid", "test")}
    counts = {part: np.bincount(rows.target, minlength=len(data.classes)) for part, rows in parts.items() if len(rows)}
    lines = []
    for place, name in enumerate(data.classes):
        lacking = [part for part, each in counts.items() if not each[place]]
        rows = sum(int(each[place]) for each in counts.values())
        if lacking and rows:
            remedy = "add rows of it, or leave it out with dataset.classes"
            lines.append(f"class {name!r} has {_rows(rows)}: none in {' and '.join(lacking)} ({remedy})")
        elif not rows:
            lines.append(f"class {name!r} has no row (leave it out with dataset.classes)")
    more = len(lines) - MOST_LINES
    return lines if more <= 1 else [*lines[:MOST_LINES], f"{more} more classes are not in every part"]


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def facts(data: PreparedData, private: bool) -> dict[str, Any]:
    """Columns and rows for status.json; nothing for other data. A private run states no number that depends on its rows."""
    described = data.description
    if described is None:
        return {}
    columns = {"target": described.target, "kind": data.kind, "classes": list(data.classes), **_by_type(data)}
    facts: dict[str, Any] = {"columns": {**columns, "left_out": dict(described.left_out)}}
    if not private:
        parts = {part: len(getattr(data, part)) for part in ("train", "valid", "test")}
        facts["rows"] = {"read": described.rows, "incomplete": described.incomplete, **parts}
    return facts


def _quoted(name: str) -> str:
    """The name of a column, in quotes where it has a comma."""
    return repr(name) if "," in name else name


def _by_type(data: PreparedData) -> dict[str, list[str]]:
    assert data.description is not None
    columns = data.description.columns.items()
    images = ("image",) if any(kind == "image" for _, kind in columns) else ()
    return {kind: [name for name, type_ in columns if type_ == kind] for kind in (*_TYPES, *images)}
