"""The tables that `assay run` ends with."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from assay.runs.directory import RunDirectory

Row = Mapping[str, Any]
_LOWEST = 10
_COSTS = ("seconds", "cpu_seconds", "peak_memory_mb")


def show(run: RunDirectory) -> None:
    """Prints summary.parquet with its costs and slopes, else the rows of lowest value; then seconds and memory."""
    summary = _rows(run, "summary")
    if summary is not None:
        _print_table("", _with_costs(summary, _rows(run, "costs")))
        slopes = _rows(run, "slopes")
        if slopes:
            _print_table("log-log slope of uncertainty on evaluations", slopes)
    else:
        values = _rows(run, "values")
        if values:
            lowest = sorted(values, key=lambda row: row["value"])[:_LOWEST]
            _print_table(f"the {len(lowest)} rows of lowest value, of {len(values)}", lowest)
    metrics = run.metrics()
    if summary is None:
        for name in [name for name in metrics if name not in _COSTS][:12]:
            print(f"{name}: {_cell(metrics[name])}")
    seconds, processor, memory = (metrics[name] for name in _COSTS)
    print(f"{seconds:.1f} s, {processor:.1f} s of processor, {memory:.0f} MB")


def _rows(run: RunDirectory, name: str) -> list[dict[str, Any]] | None:
    """A table as rows, read without pandas, which would double the time of a finished run."""
    file = run.path / f"{name}.parquet"
    if not file.is_file():
        return None
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = pq.read_table(file).to_pylist()
    return rows


def _with_costs(summary: list[dict[str, Any]], costs: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """The seconds of each row, found by the columns that both tables have."""
    if not costs or not summary:
        return summary
    keys = [column for column in summary[0] if column in costs[0] and column not in _COSTS]
    seconds = {tuple(row[key] for key in keys): row.get("seconds") for row in costs}
    return [{**row, "seconds": seconds.get(tuple(row[key] for key in keys))} for row in summary]


def _print_table(title: str, rows: Sequence[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    if not rows:
        return
    columns = [column for column in rows[0] if not column.endswith(("_low", "_high"))]
    table = Table(title=title or None, title_justify="left")
    for column in columns:
        number = isinstance(rows[0][column], int | float)
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(_with_interval(row, column) for column in columns))
    # a pipe has no width of its own, and rich would cut the table to 80 columns
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _with_interval(row: Row, column: str) -> str:
    low, high = row.get(f"{column}_low"), row.get(f"{column}_high")
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return _cell(row[column])
    return f"{_cell(row[column])} [{_cell(low)}, {_cell(high)}]"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.3g}"
    return "-" if value is None else str(value)
