"""The answer of a task, as it goes into the run directory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Shown:
    """One table as a reader first sees it.

    `columns` are those that are shown (none: all but bounds), `rows` the positions of the rows that are shown, in this
    order (None: all). A column stands with its interval where `<column>_low` and `<column>_high` exist, or the two columns
    that `intervals` names for it. `beside` names a second table whose columns are joined by those that both have.
    """

    title: str
    table: str
    columns: tuple[str, ...] = ()
    rows: tuple[int, ...] | None = None
    intervals: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    beside: str = ""


@dataclass(frozen=True)
class Headline:
    """The first things that terminal and report show: tables, metrics by name, and sentences on what the numbers mean.

    `further` tables are shown in the report alone.
    """

    tables: tuple[Shown, ...] = ()
    metrics: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    further: tuple[Shown, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """The answer of a task; only `assay.runs` writes it to files.

    * `metrics`: flat name, parts joined by "/", to a number; `tables` and `figures` by name.
    * `files`: further files of the run directory by name, a frame as CSV.
    * `headline`: None shows the first rows of the first table, and the first metrics.
    * `ledger`: entries of every account that was charged, as `assay.runs.ledger` describes them. Noise, epsilon and delta of
      the run are read from here and from nowhere else.
    * `released`: the columns of each table that may be published, once the noise is secure; all else is private.
      `statement`: sentences on what they mean. `noised`: those of the released columns that are computed from noised numbers;
      every other one is public, and an audit checks it.
    * `finite`: columns of a table that must hold finite numbers, or the run fails.
    * `facts`: further entries of status.json.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    figures: Mapping[str, Figure] = field(default_factory=dict)
    files: Mapping[str, bytes | pd.DataFrame] = field(default_factory=dict)
    headline: Headline | None = None
    ledger: Sequence[Mapping[str, Any]] = ()
    released: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    noised: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    statement: tuple[str, ...] = ()
    finite: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
