"""The command `assay results`."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.cli.arguments import Parser, add_outputs
from assay.errors import AssayError, InputError

if TYPE_CHECKING:
    import pandas as pd

    from assay.report.reading import RunRecord


def main(argv: Sequence[str]) -> int:
    """Prints what finished runs measured: over seeds, over the runs that agree in some keys, or as SQL has it."""
    parser = Parser("results")
    parser.add_argument("directories", nargs="*", type=Path)
    for flag in ("--name", "--by", "--metrics", "--sql"):
        parser.add_argument(flag)
    for flag in ("--json", "--csv"):
        parser.add_argument(flag, action="store_true")
    add_outputs(parser)
    flags = parser.parse(argv)
    if flags.sql is not None and (flags.by or flags.metrics):
        raise InputError("--sql", flags.sql, "answers alone", "leave --by and --metrics out: write GROUP BY")
    records = _records(flags.directories or [flags.outputs / "runs"], flags.name)
    tables = _tables(records, flags)
    if flags.json:
        lines = [{**named, **row} for named, _, table in tables for row in _rows(table)]
        print(json.dumps(lines, indent=1, default=str))
    elif flags.csv:
        if len(tables) > 1:
            names = ", ".join(named["name"] for named, *_ in tables)
            raise InputError(
                "--csv", "", f"is one table and these are {len(tables)}: {names}", "choose one: --name NAME"
            )
        print(tables[0][2].to_csv(index=False), end="")
    else:
        from assay.figures.tables import print_table

        for _, title, table in tables:
            print_table(title, _rows(table))
    return 0


def _records(folders: Sequence[Path], name: str | None) -> list[RunRecord]:
    """Finished runs in or below the folders; AssayError where there is none, or none of that name."""
    from assay.report.reading import find_runs

    records = [record for folder in folders for record in find_runs(folder)]
    if not records:
        places = ", ".join(map(str, folders))
        raise AssayError(f"{places}: holds no finished run (carry one out: assay run experiment=quickstart)")
    chosen = [record for record in records if name in (None, record.name)]
    if not chosen:
        from assay.config.suggest import did_you_mean

        names = sorted({record.name for record in records})
        raise InputError("--name", str(name), "no finished run is called so", did_you_mean(str(name), names, "--name "))
    return chosen


def _tables(records: Sequence[RunRecord], flags: Any) -> list[tuple[dict[str, str], str, pd.DataFrame]]:
    """The answer in SQL, the means by keys, or a table for each experiment, which is named; each with a title."""
    from assay.report.aggregate import group_by_seed, in_order
    from assay.report.results import means_table, query, runs_table, shown_metrics
    from assay.report.summary import brief, summary_table, with_bounds

    if flags.sql is not None:
        return [({}, "", query(records, flags.sql))]
    if flags.by or flags.metrics:
        by, metrics = _listed(flags.by) or ["name"], _listed(flags.metrics) or shown_metrics(records)
        title = f"means over the runs that agree in {', '.join(by)}; brackets: 95 % interval over them"
        return [({}, title, means_table(runs_table(records), by, metrics))]
    by_name: dict[str, list[RunRecord]] = {}
    for record in records:
        by_name.setdefault(record.name, []).append(record)
    tables = []
    for name, runs in by_name.items():
        groups = in_order(group_by_seed(runs))
        full = summary_table(groups)
        table = runs_table(runs) if full is None else with_bounds(full, list(map(str, brief(full, groups))))
        sizes = f"{_counted(len(runs), 'run')}, {_counted(len(groups), 'setting')}"
        tables.append(({"name": name}, f"{name}: {sizes}, means over seeds", table))
    return tables


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count != 1 else ''}"


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of plain values, None where a number is none."""
    rows = table.astype(object).to_dict("records")
    return [{str(name): _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and math.isnan(value) else value
