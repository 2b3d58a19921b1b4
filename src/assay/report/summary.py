"""The first table of the runs' headlines, over seeds, with the columns of the table beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assay.figures.tables import shown_columns
from assay.report.aggregate import SeedGroup, differing_settings, is_bound, table_over_seeds
from assay.runs.outcome import Shown

if TYPE_CHECKING:
    import pandas as pd


def whole_tables(group: SeedGroup) -> list[Shown]:
    """The tables of a group's headline that are shown with all of their rows, and so can be averaged over seeds."""
    return [shown for shown in group.headline.tables if shown.rows is None]


def summary_table(groups: Sequence[SeedGroup]) -> pd.DataFrame | None:
    """The first whole table of each group, joined with the one beside it, one block of rows for each group.

    Columns: those of the table, then those of the table beside it, then the settings in which the groups differ. Bounds
    `<measure>_low` and `<measure>_high` are those of `table_over_seeds`. None when no headline has such a table.
    """
    import pandas as pd

    blocks = []
    for group, settings in zip(groups, differing_settings(groups), strict=True):
        first = next(iter(whole_tables(group)), None)
        block = None if first is None else joined(group, first)
        if block is None:
            continue
        for key, value in settings.items():
            block[key if key not in block else f"setting {key}"] = str(value)
        blocks.append(block)
    return pd.concat(blocks, ignore_index=True) if blocks else None


def brief(full: pd.DataFrame, groups: Sequence[SeedGroup]) -> pd.DataFrame:
    """The columns of a summary that the headlines name, and the settings in which the groups differ."""
    columns: list[str] = []
    for group in groups:
        for shown in whole_tables(group)[:1]:
            frame = group.runs[0].table(shown.table)
            columns += shown.columns or (
                [] if frame is None else shown_columns([str(c) for c in frame], shown.intervals)
            )
    settings = [key for key in differing_settings(groups)[0] if key not in columns]
    return full[[column for column in dict.fromkeys([*columns, *settings]) if column in full]]


def with_bounds(full: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The given columns of a summary, each with its bounds where it has them."""
    ends = ("", "_low", "_high")
    return full[[f"{column}{end}" for column in columns for end in ends if f"{column}{end}" in full]]


def joined(group: SeedGroup, shown: Shown) -> pd.DataFrame | None:
    """A table over seeds with the columns of the one beside it, matched by the columns that both have."""
    tables = [(run.table(shown.table), run.table(shown.beside)) for run in group.runs]
    first = next(((table, beside) for table, beside in tables if table is not None), None)
    if first is None:
        return None
    shared = [] if first[1] is None else [str(column) for column in first[0] if column in first[1]]
    table = table_over_seeds(group, shown.table, shared)
    beside = table_over_seeds(group, shown.beside, shared) if shared else None
    if table is None or beside is None:
        return table
    # bounds of times are the machine's, not the method's
    bounds = [column for column in map(str, beside) if is_bound(column, beside)]
    return table.merge(beside.drop(columns=bounds), on=shared, how="left", validate="one_to_one")
