"""Writes the answer of a task into its run directory: nothing else writes there but the run's own records."""

from __future__ import annotations

import dataclasses
import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.errors import AssayError, DivergedError
from assay.runs import directory as files
from assay.runs.outcome import Headline, Outcome, Shown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_FIRST = 10  # rows and metrics that are shown of a task that names none
_LEARNING_RATES = ("valuation.learning_rate", "task.learning_rate", "model.learning_rate")


def check_finite(outcome: Outcome, config: Mapping[str, Any]) -> None:
    """Raises AssayError, in one line, for a number that is not finite in the columns that must be."""
    import numpy as np

    for name, columns in outcome.finite.items():
        for column in columns:
            broken = np.flatnonzero(~np.isfinite(np.asarray(outcome.tables[name][column], dtype=np.float64)))
            if len(broken):
                limit = f"{len(broken)} of {len(outcome.tables[name])} numbers in {name}.{column} are not finite"
                raise _diverged(limit, config)


def write_outcome(place: Path, outcome: Outcome, costs: Mapping[str, float], *, secure: bool) -> dict[str, float]:
    """Writes tables, figures, files, ledger, release and headline, the metrics last; returns the metrics.

    The run's own cost wins over a metric of the same name. What may be published goes to release/, or to rehearsal/ if not
    all noise is `secure`.
    """
    for name, table in outcome.tables.items():
        files.write_atomically(place / f"{name}.parquet", _parquet_bytes(table))
    if outcome.figures:
        (place / files.FIGURES).mkdir(exist_ok=True)
    for name, figure in outcome.figures.items():
        files.write_atomically(place / files.FIGURES / f"{name}.png", _png_bytes(figure))
    for name, content in outcome.files.items():
        files.write_atomically(place / name, content if isinstance(content, bytes) else _csv_bytes(content))
    if outcome.ledger:
        lines = "".join(json.dumps(dict(entry), sort_keys=True) + "\n" for entry in outcome.ledger)
        files.write_atomically(place / files.LEDGER, lines.encode())
    if outcome.released:
        _write_release(place / (files.RELEASE if secure else files.REHEARSAL), outcome)
    text = json.dumps(dataclasses.asdict(outcome.headline or _plain_headline(outcome)), indent=1)
    files.write_atomically(place / files.HEADLINE, f"{text}\n".encode())
    own = {name: float(value) for name, value in outcome.metrics.items() if name not in costs}
    metrics = {**own, **costs}
    written = {name: value if math.isfinite(value) else None for name, value in metrics.items()}
    files.write_atomically(place / files.METRICS, (json.dumps(written, indent=1) + "\n").encode())
    return metrics


def _write_release(folder: Path, outcome: Outcome) -> None:
    folder.mkdir(exist_ok=True)
    for name, content in published_files(outcome).items():
        files.write_atomically(folder / name, content)


def published_files(outcome: Outcome) -> dict[str, bytes]:
    """The bytes of every file that may be published, by its name: released columns as CSV, and their meaning."""
    tables = {
        f"{name}.csv": _csv_bytes(outcome.tables[name][list(columns)]) for name, columns in outcome.released.items()
    }
    lines = "".join(f"* {sentence}\n" for sentence in outcome.statement)
    return {**tables, "STATEMENT.md": f"# What these values mean\n\n{lines}".encode()}


def _plain_headline(outcome: Outcome) -> Headline:
    """The first rows of the first table, and the first metrics: for a task that says nothing of its own."""
    first = next(iter(outcome.tables), None)
    rows = None if first is None else tuple(range(min(_FIRST, len(outcome.tables[first]))))
    tables = () if first is None else (Shown(f"table {first}", first, rows=rows),)
    return Headline(tables, tuple(outcome.metrics)[:_FIRST])


def _diverged(limit: str, config: Mapping[str, Any]) -> AssayError:
    """The error for numbers that diverged, with the key of a learning rate where the config has one."""
    for key in _LEARNING_RATES:
        group, _, name = key.partition(".")
        settings = config.get(group)
        if isinstance(settings, Mapping) and settings.get(name) is not None:
            return DivergedError(key, settings[name], limit, "the work diverged: lower it")
    return AssayError(f"{limit} (the work diverged: look for extreme features, or use another model)")


def _csv_bytes(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False).encode()


def _parquet_bytes(table: pd.DataFrame) -> bytes:
    """Parquet of a table without its index; equal tables give equal bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), sink, compression="zstd")
    return sink.getvalue()


def _png_bytes(figure: Figure) -> bytes:
    """PNG without the tags that name the time or the program."""
    sink = io.BytesIO()
    figure.savefig(sink, format="png", dpi=150, bbox_inches="tight", metadata={"Software": None})
    return sink.getvalue()
