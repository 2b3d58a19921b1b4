"""Kinds of columns of a user's table: numbers, categories, text, identifiers; and the kind of its target."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

from assay.data.own.cells import Cells
from assay.data.own.columns import type_override
from assay.data.own.faults import DROP, Fault, na_override
from assay.data.own.images import image_faults
from assay.data.own.strays import MANY_VALUES, stray_texts
from assay.errors import InputError

MOST_CATEGORIES = 100  # strings with more distinct values (and more than a tenth of the rows) are no category
FEW_VALUES = 20  # whole numbers with no more distinct values can be class labels
FEW_ROWS = 20  # with fewer rows any column can look like an identifier
NEAR_UNIQUE = 0.95
ID_NAME = re.compile(r"(^|[_\s-])(?i:id|uuid|index|key)$|[a-z](Id|ID)$")
TEXT_WORDS = 3.0  # mean words of a column of sentences
ROWS_A_CLASS = 3  # texts with fewer rows each, in the mean, are no classes unless the user says so


@dataclass
class Types:
    """The type of each feature column that is used, why each other one is left out, and what keeps it from being read."""

    used: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    cautions: list[str] = field(default_factory=list)  # of what a user may not have meant


def column_types(
    columns: Mapping[str, Cells],
    given: Mapping[str, str],
    source: str = "the table",
    *,
    aside: Mapping[str, str] | None = None,
    judged: bool = True,
    target: Cells | None = None,
) -> Types:
    """The type of each feature column; `given` overrides inference.

    Numbers are numeric and strings and booleans categorical, or text where most values differ and have several words.
    A column of near-unique strings of few words, or of whole numbers that count the rows or are called an id, identifies
    rows: it is left out with a warning, as are lists, numbers in several units, and, where `judged`, columns of one value
    or none. `source` is the name of the file in the message, `aside` gives the columns that its form makes no features, and why.
    """
    types = Types()
    for name, cells in columns.items():
        if name in (aside or {}) and name not in given:
            types.left_out[name] = (aside or {})[name]
            continue
        kind = given.get(name) or _inferred(cells)
        if name not in given and judged and kind not in ("ignore", "binary", "nested", "image") and cells.distinct < 2:
            kind = "constant" if cells.distinct and not cells.missing else "empty" if not cells.distinct else kind
        _decide(types, name, cells, kind, source)
    types.faults = _without_clashes(types, columns, target)
    return types


def _without_clashes(types: Types, columns: Mapping[str, Cells], target: Cells | None) -> list[Fault]:
    """The faults, of which none is mended by a text for missing cells that is a category or class elsewhere."""
    if not any(fault.na for fault in types.faults):
        return types.faults
    others = [columns[name] for name, kind in types.used.items() if kind == "categorical"]
    others += [target] if target is not None and not target.is_number and not target.is_nested else []
    texts = {text.strip().lower() for cells in others for text in cells.counts()}
    return [
        fault.without_na() if texts & {text.strip().lower() for text in fault.na} else fault for fault in types.faults
    ]


def _decide(types: Types, name: str, cells: Cells, kind: str, source: str) -> None:
    reasons = {"constant": "one value only", "empty": "no value", "ignore": "ignored"}
    if kind == "identifier":
        types.left_out[name] = "identifies rows"
        remedy = f"{type_override(name, 'categorical')} keeps it"
        reason = f"{cells.distinct} distinct values on {len(cells)} rows identify rows"
        warnings.warn(f"column {name!r} is left out: {reason} ({remedy})", stacklevel=3)
    elif kind == "unclean":
        types.faults.append(unclean_fault(cells, "dataset.path", source))
    elif kind == "binary":
        remedy = f"leave it out with {type_override(name, 'ignore')}"
        limit = f"column {name!r} holds bytes"
        types.faults.append(Fault("dataset.path", source, limit, remedy, (f"dataset.types.{name}=ignore",)))
    elif kind == "nested":
        types.left_out[name] = "its cells are no single values"
        warnings.warn(f"column {name!r} is left out: its cells are no single values", stacklevel=3)
    elif kind.startswith("mixed: "):
        reason = kind.removeprefix("mixed: ")
        types.left_out[name] = reason
        override = type_override(name, "categorical")
        types.cautions.append(f"column {name!r} is left out: {reason} (make them one, or {override})")
    elif kind in reasons:
        types.left_out[name] = reasons[kind]
    elif cells.is_nested and kind != "image":
        limit = f"the cells of {name!r} are no single values"
        types.faults.append(
            Fault(f"dataset.types.{name}", kind, limit, "use ignore", (f"dataset.types.{name}=ignore",))
        )
    else:
        if kind == "numeric":
            types.faults += _numeric_faults(cells)
        elif kind == "image":
            types.faults += image_faults(cells, source)
        types.used[name] = kind


def _inferred(cells: Cells) -> str:
    if cells.is_image:
        return "image"
    if cells.is_nested:
        return "binary" if cells.is_binary else "nested"
    if cells.is_boolean:
        return "categorical"
    if cells.is_number:
        return "identifier" if cells.is_whole and _counts_or_names_rows(cells) else "numeric"
    rows, counts = len(cells), cells.counts()
    few = cells.distinct <= max(2, min(MOST_CATEGORIES, rows / 2)) or cells.distinct <= rows / 10
    strays = stray_texts(cells)
    if strays is not None and strays.texts:
        return "unclean"
    if strays is not None and not few and strays.reason:
        return f"mixed: {strays.reason}"
    if few:
        return "categorical"
    words = sum(count * len(text.split()) for text, count in counts.items()) / max(1, counts.total())
    return "text" if words >= TEXT_WORDS else "identifier"


def _counts_or_names_rows(cells: Cells) -> bool:
    """True where whole numbers are those from a first to a last row, each once, or near-unique and called an id."""
    rows = len(cells)
    if rows < FEW_ROWS:
        return False
    spread = int(cells.numbers.max()) - int(cells.numbers.min()) + 1
    counts = cells.distinct == rows and spread == rows
    return counts or (cells.distinct >= NEAR_UNIQUE * rows and ID_NAME.search(cells.name) is not None)


def unclean_fault(cells: Cells, key: str, value: str) -> Fault:
    """The fault of a column that is nearly numeric, mended by reading a few texts as missing, or by leaving it out."""
    strays = stray_texts(cells)
    assert strays is not None
    named = f"column {cells.name!r}"
    others = "" if len(strays.texts) == 1 else f", {len(strays.texts)} different texts"
    limit = f"{named} is nearly numeric: {strays.cells} of {strays.total} cells are no numbers, e.g. {strays.texts[0]!r}{others}"
    types = f"{type_override(cells.name, 'categorical')} or =ignore"
    kind = "ignore" if strays.values > MANY_VALUES else "categorical"
    instead = (f"clean it, or say what it is: {types}", f"dataset.types.{cells.name}={kind}")
    if strays.mendable:
        override = na_override(strays.texts)
        remedy = f"{override} with {DROP} leaves those rows out; or {types}"
        return Fault(key, value, limit, remedy, (DROP,), tuple(strays.texts), instead)
    return Fault(key, value, limit, instead[0], instead[1:])


def is_plain_number(text: str) -> bool:
    """True where Python reads a text as a number."""
    try:
        float(text.replace("_", "?"))
    except ValueError:
        return False
    return True


def _numeric_faults(cells: Cells) -> list[Fault]:
    import numpy as np

    wrong = np.flatnonzero(np.isnan(cells.numbers) & cells.present)
    if not len(wrong):
        return []
    limit = f"the column has {cells.texts[int(wrong[0])].as_py()!r}, not a number"
    return [Fault(f"dataset.types.{cells.name}", "numeric", limit, "use categorical or text")]


def target_kind(cells: Cells, kind: str) -> str:
    """regression or classification: as given, or, for auto, by the values; InputError for a target that is neither.

    Strings, booleans, two values, and at most twenty whole numbers each on five rows or more in the mean are classes.
    Strings that differ on nearly every row are no classes.
    """
    import numpy as np

    name, distinct, rows = cells.name, cells.distinct, len(cells)
    if cells.is_nested:
        limit = f"the cells of {name!r} are lists, mappings or bytes"
        raise InputError("dataset.target", name, limit, "choose a column of single values")
    text = not cells.is_number and not cells.is_boolean
    if kind == "auto" and text:
        _check_texts(cells)
    if kind == "regression" and not cells.is_number:
        strays = stray_texts(cells)
        if strays is not None and strays.texts:
            raise _error(unclean_fault(cells, "dataset.target", name))
        limit = f"the target {name!r} is not numeric" + (f": {strays.reason}" if strays and strays.reason else "")
        raise InputError("dataset.kind", kind, limit, "use dataset.kind=classification")
    if kind == "classification" and distinct > max(2, rows / 2):
        limit = f"the target {name!r} has {distinct} values on {rows} rows"
        raise InputError("dataset.kind", kind, limit, "use dataset.kind=regression, or choose another target")
    if kind != "auto":
        return kind
    if not cells.is_number or distinct <= 2:
        return "classification"
    whole = cells.reading.notation is None and bool((np.mod(cells.numbers[cells.present], 1) == 0).all())
    return "classification" if whole and distinct <= min(FEW_VALUES, rows / 5) else "regression"


def _check_texts(cells: Cells) -> None:
    """Raise InputError for texts that are numbers but for a few, or nearly as many as there are rows."""
    name, distinct, rows = cells.name, cells.distinct, len(cells)
    strays = stray_texts(cells)
    if strays is not None and strays.texts and distinct > FEW_VALUES:
        fault = unclean_fault(cells, "dataset.target", name)
        raise _error(fault, f"{fault.remedy.partition('; or')[0]}; or dataset.kind=classification if it names classes")
    if distinct > max(2, rows / ROWS_A_CLASS):
        limit = f"{distinct} different texts on {rows} rows are no classes"
        if strays is not None and strays.reason:
            limit += f", and no quantity: {strays.reason}"
        remedy = "choose another target, or dataset.kind=classification if they are"
        raise InputError("dataset.target", name, limit, remedy)


def _error(fault: Fault, remedy: str | None = None) -> InputError:
    mends = ((na_override(fault.na),) if fault.na else ()) + fault.mends
    return InputError(fault.key, fault.value, fault.limit, remedy or fault.remedy, mends)


def value_faults(columns: Mapping[str, Cells], types: Mapping[str, str], target: str, source: str) -> list[Fault]:
    """The faults of infinite values and of a target of one value; `source` is the name of the file in the message."""
    import numpy as np

    faults: list[Fault] = []
    for name in [*types, target]:
        cells = columns[name]
        infinite = int(np.isinf(cells.numbers).sum()) if cells.is_number else 0
        if infinite:
            remedy = "fill them or drop those rows"
            if name != target:
                out = type_override(name, "ignore")
                remedy = f"fill them, drop those rows, or leave the column out with {out}"
            limit = f"column {name!r} has {infinite} infinite values"
            faults.append(Fault("dataset.path", source, limit, remedy, (DROP,), ("inf", "-inf")))
    if columns[target].distinct == 1:
        faults.append(_one_class(columns[target]))
    return faults


def _one_class(cells: Cells) -> Fault:
    limit = f"has one value only ({cells.first}): one class, nothing to learn"
    return Fault("dataset.target", cells.name, limit, "choose another target or add rows of another class")


def check_varies(cells: Cells, is_target: bool, source: str) -> None:
    """Raise InputError for a column of one value."""
    if cells.distinct != 1:
        return
    if is_target:
        raise _error(_one_class(cells))
    limit = f"column {cells.name!r} is constant ({cells.first}) and carries nothing"
    raise InputError("dataset.path", source, limit, f"leave it out with {type_override(cells.name, 'ignore')}")
