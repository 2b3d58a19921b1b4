"""The last lines of `assay run`: the run's headline, its guarantee, its files and its cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from assay.figures.tables import number, print_prose, print_table
from assay.runs.directory import LEDGER, REHEARSAL, RELEASE, RunDirectory
from assay.runs.outcome import Shown

_NOISE = {"secure": "secure noise", "seeded": "seeded noise: no guarantee to who knows the seed"}


def show(run: RunDirectory) -> None:
    """Prints tables and notes of the headline, the guarantee, the files, the headline's metrics, and the cost."""
    headline, metrics, status = run.headline(), run.metrics(), run.status()
    for shown in headline.tables:
        print_table(shown.title, rows_of(run, shown), shown.columns, shown.intervals)
    print_prose(headline.notes)
    print_prose([*_guarantee(run, status), *_files(run)])
    for name in headline.metrics:
        print(f"{name}: {number(metrics.get(name))}")
    seconds, processor, memory = (metrics[name] for name in ("seconds", "cpu_seconds", "peak_memory_mb"))
    print(f"{seconds:.1f} s, {processor:.1f} s of processor, {memory:.0f} MB")


def rows_of(run: RunDirectory, shown: Shown) -> list[dict[str, Any]]:
    """The rows that are shown of a table, each with the columns of the table beside it."""
    rows = run.rows(shown.table)
    if rows and shown.beside:
        rows = _joined(rows, run.rows(shown.beside))
    return rows if shown.rows is None else [rows[place] for place in shown.rows]


def _joined(rows: list[dict[str, Any]], beside: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with the columns of those rows of the other table that agree in all columns that both have."""
    if not beside:
        return rows
    keys = [column for column in rows[0] if column in beside[0]]
    further = {tuple(row[key] for key in keys): row for row in beside}
    return [{**row, **further.get(tuple(row[key] for key in keys), {})} for row in rows]


def _guarantee(run: RunDirectory, status: Mapping[str, Any]) -> Iterator[str]:
    """Privacy that was spent, from the ledger, and the folder that may be published."""
    noise = status.get("noise", "none")
    if noise == "none":
        return
    spent = f"epsilon {number(status['epsilon'])}, delta {number(status['delta'])}"
    if "epsilon_per_estimate" in status:
        each = f"epsilon {number(status['epsilon_per_estimate'])} for each of {status['estimates']} estimates"
        spent = f"{each}, {number(status['epsilon'])} in all"
    yield f"private: {spent}, {status['relation']} neighbours, {_NOISE[noise]} ({run.path / LEDGER})"
    for folder, words in (
        (RELEASE, "to publish"),
        (REHEARSAL, "a rehearsal, not to be published without privacy.secure_noise=true"),
    ):
        if (run.path / folder).is_dir():
            yield f"{words}, with the meaning of the values: {run.path / folder}"


def _files(run: RunDirectory) -> Iterator[str]:
    for file in sorted(run.path.glob("*.csv")):
        yield f"in full: {file}"
