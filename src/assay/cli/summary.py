"""The one table that ends a sweep: a line for each combination of the swept keys, averaged over seeds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from assay.cli.show import show
from assay.figures.tables import print_table

if TYPE_CHECKING:
    from assay.runs.directory import RunDirectory

_SEED = "seed"
_METRICS = 4  # columns of numbers beside the swept keys
_COSTS = ("seconds", "cpu_seconds", "peak_memory_mb")


def show_sweep(swept: Sequence[Mapping[str, str]], runs: Mapping[int, RunDirectory]) -> None:
    """Prints the first numbers of every finished run of a sweep beside its swept keys.

    Where seeds are swept with other keys, a line is the mean over the seeds that are finished, and says how many; a cell
    without a finished run has no numbers.
    """
    metrics = {place: run.metrics() for place, run in runs.items()}
    if not metrics:
        return
    if len(swept) == 1:
        show(runs[0])
        return
    chosen = _chosen(runs, metrics)
    keys = [key for key in swept[0] if key != _SEED] or [_SEED]
    groups: dict[tuple[str, ...], list[int]] = {}
    for place, cell in enumerate(swept):
        groups.setdefault(tuple(cell.get(key, "") for key in keys), []).append(place)
    rows: list[dict[str, Any]] = []
    for values, places in groups.items():
        done = [metrics[place] for place in places if place in metrics]
        row: dict[str, Any] = dict(zip(keys, values, strict=True))
        if len(groups) < len(swept):
            row["runs"] = len(done)
        rows.append({**row, **{name: _mean([each[name] for each in done]) for name in (*chosen, "seconds")}})
    if keys == [_SEED] and len(rows) > 1:
        rows.append({_SEED: "mean", **{name: _mean([row[name] for row in rows]) for name in (*chosen, "seconds")}})
    print_table("the sweep" if len(groups) == len(swept) else "the sweep, averaged over seeds", rows)


def _chosen(runs: Mapping[int, RunDirectory], metrics: Mapping[int, Mapping[str, float]]) -> list[str]:
    """The first metrics of the headlines that all runs have, those that are the same in all of them aside."""
    shared = [name for name in next(iter(metrics.values())) if all(name in each for each in metrics.values())]
    shown = next(iter(runs.values())).headline().metrics
    names = [name for name in (*shown, *shared) if name in shared and name not in _COSTS]
    differing = [name for name in dict.fromkeys(names) if len({str(each[name]) for each in metrics.values()}) > 1]
    return (differing or list(dict.fromkeys(names)))[:_METRICS]


def _mean(numbers: Sequence[float]) -> float:
    finite = [number for number in numbers if not math.isnan(number)]
    return statistics.fmean(finite) if finite else math.nan
