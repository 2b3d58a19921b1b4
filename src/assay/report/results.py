"""All finished runs as one table: a line for each run, means over runs, or the answer to a question in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from assay.config.suggest import nearest
from assay.errors import InputError
from assay.report.aggregate import interval_over_seeds
from assay.report.reading import RunRecord

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

RUN = "fingerprint"  # the column that joins a table of all runs to the table `runs`
COSTS = ("seconds", "cpu_seconds", "peak_memory_mb")


def runs_table(records: Iterable[RunRecord]) -> pd.DataFrame:
    """One line for each run: name, fingerprint, seed, every dotted setting, every metric."""
    import pandas as pd

    lines = []
    for record in records:
        settings = _flat({key: each for key, each in record.config.items() if key != "name"})
        lines.append({"name": record.name, RUN: record.fingerprint, **settings, **record.metrics})
    return pd.DataFrame(lines)


def means_table(runs: pd.DataFrame, by: Sequence[str], metrics: Sequence[str]) -> pd.DataFrame:
    """Mean of each metric over the runs that agree in the columns `by`, with its 95 % Student-t interval over them.

    Columns: `by`, `runs` (how many), then each metric with `<metric>_low` and `<metric>_high`. Raises InputError for a
    column that no run has, and for a metric that is no number.
    """
    import pandas as pd
    from pandas.api.types import is_numeric_dtype

    by = [f"{key}.name" if key not in runs and f"{key}.name" in runs else key for key in by]  # a group is its option
    for key, names in (("--by", by), ("--metrics", metrics)):
        for name in names:
            if name not in runs:
                near = nearest(name, sorted(map(str, runs)))
                remedy = f"did you mean {near}?" if near else "--sql 'DESCRIBE runs' lists them"
                raise InputError(key, name, "no run has it", remedy)
    for name in metrics:
        if not is_numeric_dtype(runs[name]):
            raise InputError("--metrics", name, "is no number", "put it behind --by")
    readable = runs.assign(**{key: [_hashable(value) for value in runs[key]] for key in by})
    rows = []
    for labels, part in readable.groupby(list(by), sort=False, dropna=False):
        row: dict[str, Any] = {**dict(zip(by, labels, strict=True)), "runs": len(part)}
        for metric in metrics:
            known = part[metric].dropna().astype(float).tolist()
            interval = interval_over_seeds(known) if known else interval_over_seeds([float("nan")])
            row |= {metric: interval.estimate, f"{metric}_low": interval.low, f"{metric}_high": interval.high}
        rows.append(row)
    return pd.DataFrame(rows).sort_values(list(by), key=_sortable, kind="stable", ignore_index=True)


def shown_metrics(records: Sequence[RunRecord]) -> list[str]:
    """Metrics that the headlines of the runs name; where none does, all but the costs of the first run."""
    named = list(dict.fromkeys(name for record in records for name in record.headline.metrics))
    return named or [name for name in records[0].metrics if name not in COSTS]


def query(records: Sequence[RunRecord], sql: str) -> pd.DataFrame:
    """Answer of DuckDB to a question in SQL; InputError in one line for a question that it cannot answer.

    Tables: `runs` (one line for each run), and each table of the runs by its name, those of all runs below each other with
    the column `fingerprint` in front. Nothing can be written: the runs are read before the question is asked.
    """
    import duckdb

    with duckdb.connect() as connection:
        connection.register("all_runs", _plain(runs_table(records)))
        connection.execute("CREATE TABLE runs AS SELECT * FROM all_runs")
        try:
            for name in _named_tables(records, sql):
                _add_table(connection, records, name)
            connection.execute("SET enable_external_access=false")
            return connection.execute(sql).df()
        except duckdb.Error as error:
            names = ", ".join(["runs", *_tables(records)])
            first = next(iter(str(error).splitlines()), type(error).__name__)
            raise InputError("--sql", sql, first, f"tables: {names}") from error


def _named_tables(records: Sequence[RunRecord], sql: str) -> list[str]:
    """The tables of which the question speaks: those of the others need not be read."""
    return [name for name in _tables(records) if name in sql]


def _tables(records: Sequence[RunRecord]) -> list[str]:
    return list(dict.fromkeys(name for record in records for name in record.tables if name != "runs"))


def _add_table(connection: duckdb.DuckDBPyConnection, records: Sequence[RunRecord], name: str) -> None:
    """Makes the table `name` out of the files of all runs that have one."""
    files = {str(r.directory / f"{name}.parquet"): r.fingerprint for r in records if name in r.tables}
    connection.execute(f"CREATE OR REPLACE TABLE origin (file VARCHAR, {RUN} VARCHAR)")
    connection.executemany("INSERT INTO origin VALUES (?, ?)", [list(pair) for pair in files.items()])
    connection.execute(
        f'CREATE TABLE "{name}" AS SELECT origin.{RUN}, read.* EXCLUDE (filename) FROM read_parquet($files, '
        "union_by_name=true, filename=true) AS read JOIN origin ON origin.file = read.filename",
        {"files": list(files)},
    )


def _sortable(column: pd.Series[Any]) -> pd.Series[Any]:
    """Numbers as they are, a mixture as text."""
    from pandas.api.types import is_numeric_dtype

    return column if is_numeric_dtype(column) else column.astype(str)


def _plain(runs: pd.DataFrame) -> pd.DataFrame:
    """The same with lists and mappings as text, which DuckDB would guess a type for."""
    return runs.assign(**{str(c): [_hashable(each) for each in runs[c]] for c in runs if runs[c].dtype == object})


def _hashable(value: Any) -> Any:
    return str(value) if isinstance(value, list | tuple | Mapping) else value


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, entry in values.items():
        flat |= _flat(entry, f"{prefix}{key}.") if isinstance(entry, Mapping) else {f"{prefix}{key}": entry}
    return flat
