"""Names of columns: checked against what a user asks for, and written for the command line."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Mapping, Sequence

from assay.errors import InputError

INDEX = "index of the file"  # why a column that names the rows is no feature
NO_NAME = "no name"
COLUMN_TYPES = ("numeric", "categorical", "text", "ignore")


def check_names(
    names: Sequence[str], target: str | None, features: Sequence[str] | None, types: Mapping[str, str]
) -> None:
    """Raise InputError when a name occurs twice, the target is not given, or a named column is not among `names`."""
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError("dataset.path", repeated[0], "is the name of two columns", "rename one of them")
    if target is None:
        raise InputError("dataset.target", "null", "the column to predict is not named", f"one of {listing(names)}")
    _known("dataset.target", [target], names)
    for column, kind in types.items():
        if kind not in COLUMN_TYPES:
            near = difflib.get_close_matches(str(kind), COLUMN_TYPES, n=1)
            remedy = f"did you mean {near[0]}?" if near else f"one of {listing(COLUMN_TYPES)}"
            raise InputError(f"dataset.types.{column}", kind, "no such type", remedy)
    _known("dataset.types", types, names)
    if features is not None:
        if not features:
            raise InputError("dataset.features", "[]", "no column is kept", "null keeps all")
        _known("dataset.features", features, names)
        if target in features:
            raise InputError("dataset.features", target, "is the target", "a model would read the answer; leave it out")


def names_of(header: Sequence[str]) -> list[str]:
    """Names of the columns; one without is called by its place, unless it is the first."""
    return [name or (f"column {place + 1}" if place else "") for place, name in enumerate(header)]


def unnamed(names: Sequence[str]) -> dict[str, str]:
    """The columns without a name, which are no features, and why: a first one names the rows."""
    places = {name: place for place, name in enumerate(names) if name in ("", f"column {place + 1}")}
    return {name: NO_NAME if place else INDEX for name, place in places.items()} if len(names) > 1 else {}


def check_named(key: str, name: str, names: Sequence[str], target: str | None) -> None:
    """Raise InputError when a column that an option names is not there, or is the target."""
    _known(key, [name], names)
    if name == target:
        raise InputError(key, name, "is the target", "name another column")


def _known(key: str, wanted: Iterable[str], names: Sequence[str]) -> None:
    for name in wanted:
        if name not in names:
            folded = {known.casefold(): known for known in names}
            near = difflib.get_close_matches(str(name).casefold(), folded, n=1)
            remedy = f"did you mean {folded[near[0]]!r}?" if near else f"the file has {listing(names)}"
            if len(names) == 1:
                remedy += " in its first line; it must name the columns, and dataset.delimiter what stands between them"
            raise InputError(key, name, "no such column", remedy)


def type_override(column: str, kind: str) -> str:
    """The override that sets a column's type, as one writes it in a shell."""
    return shlex.quote(f"dataset.types.{column}={kind}")


def listing(names: Sequence[str]) -> str:
    """Names in one line, the first eight of them."""
    more = "" if len(names) <= 8 else f" and {len(names) - 8} more"
    return ", ".join(str(name) for name in names[:8]) + more
