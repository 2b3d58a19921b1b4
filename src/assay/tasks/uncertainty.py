"""Estimation uncertainty of measured cells, and how it moves with the number of evaluations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from assay.statistics import Interval, bootstrap_indices, estimation_uncertainty, log_log_slope, percentile_interval

if TYPE_CHECKING:
    import pandas as pd

    from assay.arrays import Floats, Integers
    from assay.runs import Streams
    from assay.tasks.comparison import Measured

DRAWS = 1_000  # of the bootstrap over replicates
SLOPE = ("slope", "slope_low", "slope_high")
Spread = tuple[Interval, "Floats"]


def columns(scores: Mapping[str, Interval]) -> dict[str, float]:
    """Each score with the bounds of its interval, in columns of a table."""
    row: dict[str, float] = {}
    for name, interval in scores.items():
        row |= {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return row


def uncertainty_of(values: Floats, draws: Integers) -> Spread:
    """Mean over rows of the variance over replicates, with its bootstrap `draws` over replicates."""
    estimate = estimation_uncertainty(values)
    count = len(values)
    # a resample of m replicates has (m - 1)/m of the variance: undone, so that the draws centre on the estimate
    drawn = np.array([estimation_uncertainty(values[rows]) for rows in draws]) * count / (count - 1)
    return percentile_interval(estimate, drawn), drawn


def spread_of(result: Measured, streams: Streams) -> Spread:
    """The same of a cell; cells at the same number of evaluations, which share noise, share resamples of the replicates."""
    generator = streams.generator("bootstrap", result.cell.evaluations)
    return uncertainty_of(result.values, bootstrap_indices(len(result.values), DRAWS, generator))


def slope_table(results: Sequence[Measured], spreads: Sequence[Spread]) -> pd.DataFrame:
    """Log-log slope of the uncertainty on the evaluations of each contender, with a bootstrap interval over replicates.

    A contender measured once has no slope, nor has one whose values never move, since they have no logarithm.
    """
    import pandas as pd

    lines = []
    for name in dict.fromkeys(result.cell.contender.name for result in results):
        chosen = [
            (r.cell.evaluations, s) for r, s in zip(results, spreads, strict=True) if r.cell.contender.name == name
        ]
        if len(chosen) < 2 or min(interval.estimate for _, (interval, _) in chosen) <= 0:
            continue
        positions = [position for position, _ in chosen]
        estimate = float(log_log_slope(positions, [interval.estimate for _, (interval, _) in chosen]))
        drawn = log_log_slope(positions, np.stack([draws for _, (_, draws) in chosen], axis=-1))
        interval = percentile_interval(estimate, drawn)
        lines.append({"contender": name, **columns({"slope": interval})})
    return pd.DataFrame(lines, columns=["contender", *SLOPE])
