"""The table `summary` of all runs, over seeds, with what each row cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assay.report.aggregate import SeedGroup, differing_settings, is_bound, table_over_seeds

if TYPE_CHECKING:
    import pandas as pd

FIRST = ("mechanism", "evaluations", "estimation_uncertainty", "spearman", "auc", "epsilon", "seconds")


def summary_table(groups: Sequence[SeedGroup]) -> pd.DataFrame | None:
    """Table `summary` joined with table `costs` on their shared columns, one block of rows for each group.

    Columns: those of `summary`, then those of `costs`, then the settings in which the groups differ. Bounds
    `<measure>_low` and `<measure>_high` are those of `table_over_seeds`. None when no run has a summary.
    """
    import pandas as pd

    blocks = []
    for group, settings in zip(groups, differing_settings(groups), strict=True):
        block = _with_costs(group)
        if block is None:
            continue
        for key, value in settings.items():
            block[key if key not in block else f"setting {key}"] = str(value)
        blocks.append(block)
    return pd.concat(blocks, ignore_index=True) if blocks else None


def brief(full: pd.DataFrame, settings: Sequence[str] = ()) -> pd.DataFrame:
    """The columns a reader wants: FIRST and the differing `settings` where all of FIRST are there.

    Another table keeps all but bounds and processor seconds.
    """
    wanted = [*FIRST, *settings]
    if set(FIRST) <= set(full):
        return full[[column for column in wanted if column in full]]
    kept = [column for column in full.columns if not is_bound(column, full) and column != "cpu_seconds"]
    return full[[*(column for column in FIRST if column in kept), *(column for column in kept if column not in FIRST)]]


def with_bounds(full: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The given columns of a summary, each with its bounds where it has them."""
    ends = ("", "_low", "_high")
    return full[[f"{column}{end}" for column in columns for end in ends if f"{column}{end}" in full]]


def _with_costs(group: SeedGroup) -> pd.DataFrame | None:
    tables = [(run.table("summary"), run.table("costs")) for run in group.runs]
    first = next(((summary, costs) for summary, costs in tables if summary is not None), None)
    if first is None:
        return None
    shared = [] if first[1] is None else [str(column) for column in first[0] if column in first[1]]
    summary = table_over_seeds(group, "summary", shared)
    costs = table_over_seeds(group, "costs", shared) if shared else None
    if summary is None or costs is None:
        return summary
    bounds = [
        column for column in map(str, costs) if is_bound(column, costs)
    ]  # of times: the machine's, not the method's
    return summary.merge(costs.drop(columns=bounds), on=shared, how="left", validate="one_to_one")
