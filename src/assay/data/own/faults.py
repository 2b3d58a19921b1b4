"""All that is wrong with a table in one message, with the overrides that mend it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from assay.errors import InputError

if TYPE_CHECKING:
    from assay.data.own.cells import Cells

_BARE = re.compile(r"(?!(?i:null|true|false|nan|inf)$)[A-Za-z?][A-Za-z0-9?./_+-]*|-?\d+(\.\d+)?")
DROP = "dataset.missing=drop"


@dataclass(frozen=True)
class Fault:
    """One thing that keeps a table from being read: the value, the limit, the remedy, and what mends it."""

    key: str
    value: str
    limit: str
    remedy: str
    mends: tuple[str, ...] = ()
    na: tuple[str, ...] = ()  # texts to be read as missing
    instead: tuple[str, ...] = ()  # remedy and overrides where such a text has a meaning elsewhere

    def without_na(self) -> Fault:
        """The fault, mended without a text that is read as missing."""
        return replace(self, remedy=self.instead[0], mends=self.instead[1:], na=())

    @classmethod
    def of(cls, error: InputError) -> Fault:
        """The fault of an error."""
        return cls(error.key, str(error.value), error.limit, error.remedy, error.mends)


def raise_faults(faults: Sequence[Fault], source: str, na: Sequence[str] = ()) -> None:
    """Raise one InputError for all faults: a line each, and before them every override that mends; `na` is what is set."""
    if not faults:
        return
    texts = [text for fault in faults for text in fault.na]
    mends = [na_override([*na, *texts])] if texts else []
    mends += [mend for fault in faults for mend in fault.mends]
    mends = list(dict.fromkeys(mends))
    if len(faults) == 1:
        (fault,) = faults
        raise InputError(fault.key, fault.value, fault.limit, fault.remedy, tuple(mends))
    whole = all(fault.mends or fault.na for fault in faults)
    words = f"add {shlex.join(mends)}" if mends else "mend the file"
    remedy = words if whole else f"{words}, and mend the rest in the file" if mends else words
    raise TableError(source, tuple(faults), remedy, tuple(mends))


class TableError(InputError):
    """Several faults of one table: a line on the whole, and one for each."""

    def __init__(self, source: str, faults: tuple[Fault, ...], remedy: str, mends: tuple[str, ...]) -> None:
        super().__init__("dataset.path", source, f"{len(faults)} things are wrong with it", remedy, mends)
        self.faults = faults
        self.args = ("\n  ".join([str(self), *map(_shown, faults)]),)

    def __reduce__(self) -> tuple[type[TableError], tuple[Any, ...]]:
        return type(self), (self.value, self.faults, self.remedy, self.mends)


def _shown(fault: Fault) -> str:
    where = "" if fault.key == "dataset.path" else f"{fault.key}={fault.value}: "
    return f"{where}{fault.limit} ({fault.remedy})"


def na_override(texts: Sequence[str]) -> str:
    """The override that reads texts as missing cells."""
    distinct = dict.fromkeys(texts)
    return f"dataset.na=[{','.join(_element(text) for text in distinct)}]"


def _element(text: str) -> str:
    if _BARE.fullmatch(text):
        return text
    # hydra takes a backslash as it is, unless a quote follows
    quoted = re.sub(r"(\\*)('|$)", lambda match: match[1] * 2 + ("\\'" if match[2] else ""), text)
    return "'" + quoted.replace("${", "\\${") + "'"  # which would be an interpolation


def missing_fault(columns: Mapping[str, Cells], features: Sequence[str], target: str, source: str) -> Fault | None:
    """The fault of missing cells, all columns in one line; it is mended by dropping rows, or columns that cost most rows."""
    from assay.data.own.columns import type_override

    missing = {name: columns[name].missing for name in [*features, target]}
    affected = [name for name, count in missing.items() if count]
    if not affected:
        return None
    first, *others = affected
    limit = f"column {first!r} has {missing[first]} missing (NaN) values"
    limit += "".join(f", {name!r} {missing[name]}" for name in others[:20])
    limit += f" and {len(others) - 20} more columns" if len(others) > 20 else ""
    drop = f"drop those rows with {DROP}"
    out = [name for name in affected if name != target]
    more = f", {drop}, or leave a column out with {type_override(out[0], 'ignore')}" if out else ""
    remedy = f"fill them{more}" if out else f"fill them or {drop}"
    costly = _costly(columns, affected, target)
    mends = [f"dataset.types.{name}=ignore" for name in costly]
    mends += [DROP] if len(costly) < len(affected) else []
    return Fault("dataset.path", source, limit, remedy, tuple(mends))


def _costly(columns: Mapping[str, Cells], affected: Sequence[str], target: str) -> list[str]:
    """Columns to leave out until half of the rows, or all the target allows, have no missing cell."""
    import numpy as np

    present = {name: columns[name].present for name in affected}
    out: list[str] = []
    while True:
        left = [name for name in affected if name not in out]
        features = [name for name in left if name != target]
        rows = np.logical_and.reduce([present[name] for name in left]).sum() if left else len(columns[target])
        if not features or rows >= len(columns[target]) / 2:
            return out
        out.append(min(features, key=lambda name: int(present[name].sum())))
