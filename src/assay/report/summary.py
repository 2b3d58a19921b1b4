"""The first table of the runs' headlines, over seeds, with the columns of the table beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assay.figures.tables import shown_columns
from assay.report.aggregate import SeedGroup, differing_settings, is_bound, metrics_over_seeds, table_over_seeds
from assay.runs.outcome import Shown

if TYPE_CHECKING:
    import pandas as pd


def whole_tables(group: SeedGroup) -> list[Shown]:
    """The tables of a group's headline that are shown with all of their rows, and so can be averaged over seeds."""
    return [shown for shown in group.headline.tables if shown.rows is None]


def summary_table(groups: Sequence[SeedGroup]) -> pd.DataFrame | None:
    """The first whole table of each group, joined with the one beside it, one block of rows for each group.

    A group whose headline has no such table gives the metrics of its headline, over seeds, in one row. Columns: the
    settings in which the groups differ, then those of the table, then those of the table beside it. Bounds
    `<measure>_low` and `<measure>_high` are those of `table_over_seeds`. None when no headline has either.
    """
    import pandas as pd

    blocks = [_block(group) for group in groups]
    columns = {str(column) for block in blocks if block is not None for column in block}
    for block, settings in zip(blocks, differing_settings(groups), strict=True):
        if block is not None:
            for place, (key, value) in enumerate(settings.items()):
                block.insert(place, f"setting {key}" if key in columns else key, str(value))
    shown = [block for block in blocks if block is not None]
    return pd.concat(shown, ignore_index=True) if shown else None


def _block(group: SeedGroup) -> pd.DataFrame | None:
    first = next(iter(whole_tables(group)), None)
    return _metrics(group) if first is None else joined(group, first)


def _metrics(group: SeedGroup) -> pd.DataFrame | None:
    """One row: how many seeds, and the metrics of the headline with their bounds over seeds."""
    import pandas as pd

    over_seeds = metrics_over_seeds(group)
    named = {name: over_seeds[name] for name in group.headline.metrics if name in over_seeds}
    if not named:
        return None
    row: dict[str, float] = {"seeds": len(group.seeds)}
    for name, interval in named.items():
        row |= {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return pd.DataFrame([row])


def brief(full: pd.DataFrame, groups: Sequence[SeedGroup]) -> pd.DataFrame:
    """The settings in which the groups differ, and the columns of a summary that the headlines name."""
    columns: list[str] = [*differing_settings(groups)[0]]
    for group in groups:
        for shown in whole_tables(group)[:1]:
            frame = group.runs[0].table(shown.table)
            columns += shown.columns or (
                [] if frame is None else shown_columns([str(c) for c in frame], shown.intervals)
            )
        if not whole_tables(group):
            columns += ["seeds", *group.headline.metrics]
    return full[[column for column in dict.fromkeys(columns) if column in full]]


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
