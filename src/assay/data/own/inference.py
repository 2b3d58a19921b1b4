"""Kinds of columns of a user's table: numbers, categories, text, identifiers; and the kind of its target."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping

from assay.data.own.cells import Cells
from assay.data.own.columns import listing, type_override
from assay.errors import InputError

MOST_CATEGORIES = 100  # strings with more distinct values (and more than a tenth of the rows) are no category
FEW_VALUES = 20  # whole numbers with no more distinct values can be class labels
FEW_ROWS = 20  # with fewer rows any column can look like an identifier
NEAR_UNIQUE = 0.95
ID_NAME = re.compile(r"(^|[_\s-])(?i:id|uuid|index|key)$|[a-z](Id|ID)$")
TEXT_WORDS = 3.0  # mean words of a column of sentences
NEARLY = 0.8  # share of written numbers from which a column of texts is taken for numbers to be cleaned
# a number as people write it: currency or per cent, thousands in groups of three, a decimal point or comma; not 007
WRITTEN_NUMBER = re.compile(
    r"\s*[-+]?\s*[$€£¥]?\s*[-+]?(?!0\d)(?=[.,]?\d)(?:\d{1,3}(?:[.,'\s]\d{3})+|\d*)(?:[.,]\d*)?(?:[eE][-+]?\d+)?\s*[$€£¥%]?\s*"
)


def column_types(
    columns: Mapping[str, Cells], given: Mapping[str, str], source: str = "the table"
) -> tuple[dict[str, str], dict[str, str]]:
    """The type of each feature column that is used, and why each other one is left out; `given` overrides inference.

    Numbers are numeric and strings and booleans categorical, or text where most values differ and have several words.
    A column of near-unique strings of few words, or of whole numbers that count the rows or are called an id, identifies
    rows: it is left out with a warning. Raises InputError for strings of which most are written numbers; `source` is the
    name of the file in the message.
    """
    types: dict[str, str] = {}
    left_out: dict[str, str] = {}
    unclean: dict[str, str] = {}
    for name, cells in columns.items():
        kind = given.get(name) or _inferred(cells)
        if kind == "identifier":
            left_out[name] = "identifies rows"
            remedy = f"{type_override(name, 'categorical')} keeps it"
            reason = f"{cells.distinct} distinct values on {len(cells)} rows identify rows"
            warnings.warn(f"column {name!r} is left out: {reason} ({remedy})", stacklevel=2)
        elif kind == "unclean":
            unclean[name] = _uncleanness(cells)
        elif kind == "nested":
            left_out[name] = "its cells are no single values"
            warnings.warn(f"column {name!r} is left out: its cells are no single values", stacklevel=2)
        elif kind == "numeric":
            _check_numeric(cells)
            types[name] = kind
        elif kind == "ignore":
            left_out[name] = "ignored"
        else:
            types[name] = kind
    if unclean:
        first, *others = unclean
        limit = f"column {first!r} {unclean[first]}" + (f"; likewise {listing(others)}" if others else "")
        remedy = f"clean it, or say what it is: {type_override(first, 'categorical')} or =ignore"
        raise InputError("dataset.path", source, limit, remedy)
    return types, left_out


def _inferred(cells: Cells) -> str:
    if cells.is_nested:
        return "nested"
    if cells.is_boolean:
        return "categorical"
    if cells.is_number:
        return "identifier" if cells.is_whole and _counts_or_names_rows(cells) else "numeric"
    if _is_unclean(cells):
        return "unclean"
    rows, counts = len(cells), cells.counts()
    words = sum(count * len(text.split()) for text, count in counts.items()) / max(1, counts.total())
    if cells.distinct <= max(2, min(MOST_CATEGORIES, rows / 2)) or cells.distinct <= rows / 10:
        return "categorical"
    return "text" if words >= TEXT_WORDS else "identifier"


def _counts_or_names_rows(cells: Cells) -> bool:
    """True where whole numbers are those from a first to a last row, each once, or near-unique and called an id."""
    rows = len(cells)
    if rows < FEW_ROWS:
        return False
    spread = int(cells.numbers.max()) - int(cells.numbers.min()) + 1
    counts = cells.distinct == rows and spread == rows
    return counts or (cells.distinct >= NEAR_UNIQUE * rows and ID_NAME.search(cells.name) is not None)


def _is_unclean(cells: Cells) -> bool:
    counts = cells.counts()
    written = sum(count for text, count in counts.items() if _is_written_number(text))
    return written > 0 and written >= NEARLY * counts.total()


def _is_written_number(text: str) -> bool:
    return WRITTEN_NUMBER.fullmatch(text.strip()) is not None


def _uncleanness(cells: Cells) -> str:
    """The fault that keeps a column of written numbers from being numeric."""
    counts = cells.counts()
    wrong = [text for text, _ in counts.most_common() if not is_plain_number(text)]
    if not wrong:
        return f"holds numbers stored as text, e.g. {counts.most_common(1)[0][0]!r}"
    foreign = [text for text in wrong if not _is_written_number(text)]
    cells_of_wrong = sum(counts[text] for text in wrong)
    example = (foreign or wrong)[0]
    return f"is nearly numeric: {cells_of_wrong} of {counts.total()} cells are no plain numbers, e.g. {example!r}"


def is_plain_number(text: str) -> bool:
    """True where Python reads a text as a number."""
    try:
        float(text.replace("_", "?"))
    except ValueError:
        return False
    return True


def _check_numeric(cells: Cells) -> None:
    import numpy as np

    wrong = np.flatnonzero(np.isnan(cells.numbers) & cells.present)
    if len(wrong):
        limit = f"the column has {cells.texts[int(wrong[0])].as_py()!r}, not a number"
        raise InputError(f"dataset.types.{cells.name}", "numeric", limit, "use categorical or text")


def target_kind(cells: Cells, kind: str) -> str:
    """regression or classification: as given, or, for auto, by the values.

    Strings, booleans, two values, and at most twenty whole numbers each on five rows or more in the mean are classes.
    """
    import numpy as np

    name, distinct = cells.name, cells.distinct
    text = not cells.is_number and not cells.is_boolean
    if kind != "classification" and text and distinct > FEW_VALUES and _is_unclean(cells):
        remedy = "clean it, or use dataset.kind=classification if it names classes"
        raise InputError("dataset.target", name, _uncleanness(cells), remedy)
    if kind == "regression" and not cells.is_number:
        limit = f"the target {name!r} is not numeric"
        raise InputError("dataset.kind", kind, limit, "use dataset.kind=classification")
    if kind == "classification" and distinct > max(2, len(cells) / 2):
        limit = f"the target {name!r} has {distinct} values on {len(cells)} rows"
        raise InputError("dataset.kind", kind, limit, "use dataset.kind=regression, or choose another target")
    if kind != "auto":
        return kind
    if not cells.is_number or distinct <= 2:
        return "classification"
    whole = bool((np.mod(cells.numbers[cells.present], 1) == 0).all())
    return "classification" if whole and distinct <= min(FEW_VALUES, len(cells) / 5) else "regression"


def check_values(columns: Mapping[str, Cells], types: Mapping[str, str], target: str, source: str) -> None:
    """Raise InputError for missing (all columns in one line) or infinite values, a constant feature, a target of one value.

    `source` is the name of the file in the message.
    """
    import numpy as np

    missing = {name: columns[name].missing for name in [*types, target]}
    affected = [name for name, count in missing.items() if count]
    if affected:
        first, *others = affected
        limit = f"column {first!r} has {missing[first]} missing (NaN) values"
        limit += "".join(f", {name!r} {missing[name]}" for name in others)
        drop = "drop those rows with dataset.missing=drop"
        features = [name for name in affected if name != target]
        out = f", {drop}, or leave a column out with {type_override(features[0], 'ignore')}" if features else ""
        raise InputError("dataset.path", source, limit, f"fill them{out}" if out else f"fill them or {drop}")
    for name in [*types, target]:
        cells = columns[name]
        infinite = int(np.isinf(cells.numbers).sum()) if cells.is_number else 0
        if infinite:
            remedy = "fill them or drop those rows"
            if name != target:
                remedy = f"fill them, drop those rows, or leave the column out with {type_override(name, 'ignore')}"
            raise InputError("dataset.path", source, f"column {name!r} has {infinite} infinite values", remedy)
        check_varies(cells, name == target, source)


def check_varies(cells: Cells, is_target: bool, source: str) -> None:
    """Raise InputError for a column of one value."""
    if cells.distinct != 1:
        return
    if is_target:
        limit = f"has one value only ({cells.first}): one class, nothing to learn"
        remedy = "choose another target or add rows of another class"
        raise InputError("dataset.target", cells.name, limit, remedy)
    limit = f"column {cells.name!r} is constant ({cells.first}) and carries nothing"
    raise InputError("dataset.path", source, limit, f"leave it out with {type_override(cells.name, 'ignore')}")
