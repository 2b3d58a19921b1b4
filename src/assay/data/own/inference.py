"""What the columns of a user's table are: numbers, categories, text, identifiers; and what kind of target it has."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

from assay.data.own.columns import listing, type_override
from assay.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

MOST_CATEGORIES = 100  # strings with more distinct values (and more than a tenth of the rows) are no category
FEW_VALUES = 20  # whole numbers with no more distinct values can be class labels
FEW_ROWS = 20  # with fewer rows any column can look like an identifier
NEAR_UNIQUE = 0.95
ID_NAME = re.compile(r"(^|[_\s-])(?i:id|uuid|index|key)$|[a-z](Id|ID)$")
TEXT_WORDS = 3.0  # mean words of a column of sentences
NEARLY = (
    0.8  # share of cells of a text column that look like numbers before it is taken for a numeric one to be cleaned
)
# a number as people write it: currency or per cent, thousands in groups of three, a decimal point or comma; not 007
WRITTEN_NUMBER = re.compile(
    r"\s*[-+]?\s*[$€£¥]?\s*[-+]?(?!0\d)(?=[.,]?\d)(?:\d{1,3}(?:[.,'\s]\d{3})+|\d*)(?:[.,]\d*)?(?:[eE][-+]?\d+)?\s*[$€£¥%]?\s*"
)


def column_types(
    table: pd.DataFrame, given: Mapping[str, str], source: str = "the table"
) -> tuple[dict[str, str], dict[str, str]]:
    """The type of each feature column that is kept, and why each other one is left out; `given` overrides inference.

    Numbers are numeric and strings and booleans categorical, or text where most values differ and have several words.
    A column of near-unique strings of few words, or of whole numbers that count the rows or are called an id, identifies
    rows: it is left out with a warning. Raises InputError for strings of which most are written numbers; `source` is the
    name of the file in the message.
    """
    types: dict[str, str] = {}
    left_out: dict[str, str] = {}
    unclean: dict[str, str] = {}
    for name in table.columns:
        kind = given.get(name) or _inferred(table[name])
        if kind == "identifier":
            left_out[name] = "identifies rows"
            remedy = f"{type_override(name, 'categorical')} keeps it"
            distinct = table[name].nunique()
            reason = f"{distinct} distinct values on {len(table)} rows identify rows"
            warnings.warn(f"column {name!r} is left out: {reason} ({remedy})", stacklevel=2)
        elif kind == "unclean":
            unclean[name] = _uncleanness(table[name])
        elif kind == "nested":
            left_out[name] = "its cells are no single values"
            warnings.warn(f"column {name!r} is left out: its cells are no single values", stacklevel=2)
        elif kind == "numeric":
            types[name] = _checked_numeric(table[name], given)
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


def _uncleanness(column: pd.Series) -> str:
    """What keeps a column of written numbers from being numeric."""
    import pandas as pd

    counts = column.dropna().astype(str).value_counts()
    wrong = counts[pd.to_numeric(counts.index.to_series(), errors="coerce").isna().to_numpy()]
    if wrong.empty:
        return f"holds numbers stored as text, e.g. {counts.index[0]!r}"
    foreign = [text for text in wrong.index if not _is_written_number(text)]
    example = foreign[0] if foreign else wrong.index[0]
    return f"is nearly numeric: {wrong.sum()} of {counts.sum()} cells are no plain numbers, e.g. {example!r}"


def _is_written_number(text: str) -> bool:
    return WRITTEN_NUMBER.fullmatch(text.strip()) is not None


def _is_unclean(column: pd.Series) -> bool:
    counts = column.dropna().astype(str).value_counts()
    written = sum(int(count) for text, count in counts.items() if _is_written_number(str(text)))
    return written > 0 and written >= NEARLY * int(counts.sum())


def _checked_numeric(column: pd.Series, given: Mapping[str, str]) -> str:
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(column):
        wrong = column[pd.to_numeric(column, errors="coerce").isna() & column.notna()]
        if len(wrong):
            limit = f"the column has {wrong.iloc[0]!r}, not a number"
            raise InputError(f"dataset.types.{column.name}", given[str(column.name)], limit, "use categorical or text")
    return "numeric"


def _inferred(column: pd.Series) -> str:
    import pandas as pd

    if pd.api.types.is_bool_dtype(column):
        return "categorical"
    try:
        distinct, rows = column.nunique(), len(column)
    except TypeError:  # lists and dicts, as parquet files have them, cannot be compared
        return "nested"
    if pd.api.types.is_numeric_dtype(column):
        return "identifier" if pd.api.types.is_integer_dtype(column) and _counts_or_names_rows(column) else "numeric"
    if _is_unclean(column):
        return "unclean"
    strings = column.dropna().astype(str)
    words = float(strings.map(lambda text: len(text.split())).mean()) if len(strings) else 0.0
    if distinct <= max(2, min(MOST_CATEGORIES, rows / 2)) or distinct <= rows / 10:
        return "categorical"
    return "text" if words >= TEXT_WORDS else "identifier"


def _counts_or_names_rows(column: pd.Series) -> bool:
    """Whether whole numbers are those from a first to a last row, each once, or near-unique and called an id."""
    distinct, rows = column.nunique(), len(column)
    if rows < FEW_ROWS:
        return False
    counts = distinct == rows and int(column.max()) - int(column.min()) + 1 == rows
    return counts or (distinct >= NEAR_UNIQUE * rows and ID_NAME.search(str(column.name)) is not None)


def target_kind(column: pd.Series, kind: str) -> str:
    """regression or classification: as given, or, for auto, by the values.

    Strings, booleans, two values, and at most twenty whole numbers each on five rows or more in the mean are classes.
    """
    import pandas as pd

    numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    distinct = column.nunique()
    text = not numeric and not pd.api.types.is_bool_dtype(column)
    if kind != "classification" and text and distinct > FEW_VALUES and _is_unclean(column):
        remedy = "clean it, or use dataset.kind=classification if it names classes"
        raise InputError("dataset.target", column.name, _uncleanness(column), remedy)
    if kind == "regression" and not numeric:
        limit = f"the target {str(column.name)!r} is not numeric"
        raise InputError("dataset.kind", kind, limit, "use dataset.kind=classification")
    if kind == "classification" and distinct > max(2, len(column) / 2):
        limit = f"the target {str(column.name)!r} has {distinct} values on {len(column)} rows"
        raise InputError("dataset.kind", kind, limit, "use dataset.kind=regression, or choose another target")
    if kind != "auto":
        return kind
    if not numeric or distinct <= 2:
        return "classification"
    whole = bool((column.dropna() % 1 == 0).all())
    return "classification" if whole and distinct <= min(FEW_VALUES, len(column) / 5) else "regression"


def check_values(table: pd.DataFrame, types: Mapping[str, str], target: str, source: str) -> None:
    """Raise InputError for missing (all columns in one line) or infinite values, a constant feature, a target of one value.

    `source` is the name of the file in the message.
    """
    import numpy as np
    import pandas as pd

    missing = {name: int(table[name].isna().sum()) for name in [*types, target]}
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
        column = table[name]
        remedy = "fill them or drop those rows"
        if name != target:
            remedy = f"fill them, drop those rows, or leave the column out with {type_override(name, 'ignore')}"
        if pd.api.types.is_float_dtype(column):
            infinite = int(np.isinf(column).sum())
            if infinite:
                raise InputError("dataset.path", source, f"column {name!r} has {infinite} infinite values", remedy)
        if column.nunique() == 1:
            value = column.iloc[0]
            if name == target:
                limit = f"has one value only ({value}): one class, nothing to learn"
                raise InputError("dataset.target", name, limit, "choose another target or add rows of another class")
            limit = f"column {name!r} is constant ({value}) and carries nothing"
            raise InputError("dataset.path", source, limit, f"leave it out with {type_override(name, 'ignore')}")
