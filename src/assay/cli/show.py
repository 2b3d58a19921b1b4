"""The tables that `assay run` ends with."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from assay.runs.directory import RunDirectory

Row = Mapping[str, Any]
_LOWEST = 10
_COLUMNS = 6
_PIPE_WIDTH = 160
_COSTS = ("seconds", "cpu_seconds", "peak_memory_mb")


def show(run: RunDirectory) -> None:
    """Prints summary.parquet with its costs and slopes, else the rows of lowest value; then seconds and memory."""
    summary = _rows(run, "summary")
    if summary is not None:
        _print_table("", _with_costs(summary, _rows(run, "costs")))
        slopes = _rows(run, "slopes")
        if slopes:
            _print_table("log-log slope of uncertainty on evaluations", slopes)
            _print_lines(MEANING_OF_SUMMARY)
    else:
        values = _rows(run, "values")
        if values:
            lowest = sorted(values, key=lambda row: row["value"])[:_LOWEST]
            _print_table(f"the {len(lowest)} rows of lowest value, of {len(values)}", lowest)
            _print_lines(_meaning_of_values(run, values))
    picks = _rows(run, "picks") or []
    for size in dict.fromkeys(row["k"] for row in picks):
        chosen = [row for row in picks if row["k"] == size]
        _print_table(f"the first of {len(chosen)} picks for a data set of {size} rows", chosen[:_LOWEST])
    if picks:
        _print_lines((MEANING_OF_PICKS, f"all of them: {run.path / 'picks.csv'}"))
    metrics = run.metrics()
    if not summary or "mechanism" not in summary[0]:  # where mechanisms are compared, the table says all
        for name in [name for name in metrics if name not in _COSTS][:12]:
            print(f"{name}: {_cell(metrics[name])}")
    seconds, processor, memory = (metrics[name] for name in _COSTS)
    print(f"{seconds:.1f} s, {processor:.1f} s of processor, {memory:.0f} MB")


MEANING_OF_SUMMARY = (
    "estimation_uncertainty: variance of a row's value over replicates of noise and permutations (lower is surer)",
    "spearman: rank correlation with non-private values; auc: of finding the corrupted rows by low value (0.5 is guessing)",
    "a slope above 0: more evaluations under the same budget make the values less certain",
)


MEANING_OF_PICKS = "value: what a row adds to the utility of a model of k rows, by its law; gains are on the test split"


def _meaning_of_values(run: RunDirectory, values: Sequence[Row]) -> list[str]:
    """What the numbers are, how many can be told from 0, and under which guarantee they stand."""
    lines = ["id: position of the row in its source, from 0; value: what the row adds to the utility on the valid rows"]
    # a missing number is None in the file
    if all(row.get("ci_low") is not None and math.isfinite(row["ci_low"]) for row in values):
        below, above = sum(row["ci_high"] < 0 for row in values), sum(row["ci_low"] > 0 for row in values)
        lines.append(
            f"{below} of {len(values)} values lie below 0 at 95 %, {above} above; the interval is that of the estimate on "
            "this split, and other valid rows would give other values"
        )
    config = run.config()
    privacy, facts = config.get("privacy", {}), run.status()
    if privacy.get("name", "none") != "none" and facts.get("epsilon") is not None:
        noise = "secure noise" if facts.get("noise") == "secure" else "seeded noise: no guarantee to who knows the seed"
        lines.append(
            f"private: epsilon {_cell(facts['epsilon'])}, delta {privacy['delta']:g}, {privacy['relation']} neighbours, "
            f"{noise} ({run.path / 'ledger.jsonl'})"
        )
    if facts.get("statement"):
        kind = "release" if (run.path / "release").is_dir() else "rehearsal"
        told = (
            "to publish" if kind == "release" else "a rehearsal, not to be published without privacy.secure_noise=true"
        )
        lines.append(f"{told}, with what the values mean: {run.path / kind}")
    lines.append(f"all of them: {run.path / 'values.csv'}")
    return lines


def _print_lines(lines: Sequence[str]) -> None:
    for line in lines:
        print(line)


def _rows(run: RunDirectory, name: str) -> list[dict[str, Any]] | None:
    """A table as rows, read without pandas, which would double the time of a finished run."""
    file = run.path / f"{name}.parquet"
    if not file.is_file():
        return None
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as opened:  # pq.read_table would import pandas
        columns = opened.read().to_pydict()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _with_costs(summary: list[dict[str, Any]], costs: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    """The seconds of each row, found by the columns that both tables have."""
    if not costs or not summary:
        return summary
    keys = [column for column in summary[0] if column in costs[0] and column not in _COSTS]
    seconds = {tuple(row[key] for key in keys): row.get("seconds") for row in costs}
    return [{**row, "seconds": seconds.get(tuple(row[key] for key in keys))} for row in summary]


def _print_table(title: str, rows: Sequence[Row]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    if not rows:
        return
    # a pipe has no width of its own, and rich would cut the table to 80 columns
    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)
    columns = _shown_columns(rows[0])
    for cell in (_with_interval, _alone):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for column in columns:
            number = isinstance(rows[0][column], int | float)
            table.add_column(column, justify="right" if number else "left", no_wrap=True)
        for row in rows:
            table.add_row(*(cell(row, column) for column in columns))
        if console.measure(table).minimum < console.width:
            break
    if title:
        console.print(title)
    console.print(table)


def _shown_columns(row: Row) -> list[str]:
    """The first columns and the seconds; bounds stand beside their estimate, the rest in the parquet file."""
    columns = [column for column in row if not column.endswith(("_low", "_high"))]
    return [column for place, column in enumerate(columns) if place < _COLUMNS or column == "seconds"]


def _alone(row: Row, column: str) -> str:
    return _cell(row[column])


def _with_interval(row: Row, column: str) -> str:
    low, high = row.get(f"{column}_low"), row.get(f"{column}_high")
    if column == "value":
        low, high = row.get("ci_low"), row.get("ci_high")
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return _cell(row[column])
    return f"{_cell(row[column])} [{_cell(low)}, {_cell(high)}]"


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.3g}"
    return "-" if value is None else str(value)
