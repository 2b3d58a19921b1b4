"""Released values brought to the size of exact ones, with prediction intervals, from stand-ins of public rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from assay.learning.models.replicated import path_utility
from assay.privacy.clipping import clipped_numbers
from assay.valuation.gradient.directed.calibration import Calibration, calibrate
from assay.valuation.gradient.directed.paths import public_paths
from assay.valuation.gradient.directed.released import Mechanism, Released
from assay.valuation.gradient.directed.stand_ins import StandIn, exact_values, stand_ins

if TYPE_CHECKING:
    from assay.arrays import Floats

FEWEST = 6  # stand-ins with finite values, below which nothing is promised
EXTREME = 100.0  # times the median size of exact values: SGD over such a table diverges


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Values [n] of the size of exact ones, ends [n] of their prediction intervals, what a unit of noise became, and facts."""

    values: Floats
    low: Floats
    high: Floats
    scale: float
    facts: Mapping[str, float]


def calibrated(release: Mechanism, released: Released, count: int) -> Calibrated:
    """The first replicate, calibrated by the whole mechanism on `count` stand-ins.

    Guarantee: reads the public rows and what was released, nothing else; it is post-processing and costs no budget.
    """
    y = released.estimates.values[0]
    tables = stand_ins(
        release.public,
        len(release.train),
        count,
        len(release.problem.data.classes),
        release.context.streams.generator("stand-ins", release.purpose),
    )
    pairs = _pairs(release, released, tables)
    if len(pairs.exact) < FEWEST:  # SGD over public rows diverges: nothing is known of the values
        nowhere = np.full_like(y, np.inf)
        return Calibrated(y, -nowhere, nowhere, 1.0, {"release/stand_ins": float(len(pairs.exact))})
    calibration = calibrate(pairs.released, pairs.exact)
    values, (low, high) = calibration.values(y), calibration.intervals(y)
    facts = _facts(calibration, len(pairs.exact))
    if released.points is not None:
        reached = _reached(release, released.points)
        shift = (reached[0] - values.sum()) / len(values)
        values, low, high = values + shift, low + shift, high + shift
        facts |= {"release/sum": float(reached[0]), "release/stand_in_gap": _gap(reached, pairs.reached)}
    return Calibrated(values, low, high, abs(calibration.slope), facts)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Released and exact values [K, n] of stand-ins, and what their private paths reached [K, 2]."""

    released: Floats
    exact: Floats
    reached: Floats


def _pairs(release: Mechanism, released: Released, tables: list[StandIn]) -> _Pairs:
    """Those of all stand-ins whose values are finite and of the size of the others'."""
    streams, purpose = release.context.streams, release.purpose
    generator = streams.generator("stand-in noise", purpose)
    runs = [_released(release, released, table, generator) for table in tables]
    exact, evaluations = exact_values(
        release.model,
        [table.rows for table in tables],
        release.judges,
        release.along.start,
        release.settings,
        release.context.trainer,
        streams.generator("stand-in permutations", purpose),
    )
    release.evaluations += evaluations
    values, reached = np.stack([run[0] for run in runs]), np.stack([run[1] for run in runs])
    size = np.abs(exact).max(axis=1)
    finite = np.isfinite(exact).all(axis=1) & np.isfinite(values).all(axis=1)
    typical = np.median(size[finite]) if finite.any() else 0.0
    used = finite & (size <= EXTREME * typical)
    return _Pairs(values[used], exact[used], reached[used])


def _released(
    release: Mechanism, released: Released, table: StandIn, generator: np.random.Generator
) -> tuple[Floats, Floats]:
    """Values [n] that the mechanism would release of a stand-in, and what its path would reach [2] (NaN along public ones)."""
    along, design, length = release.along, released.design, len(table.rows)
    public = public_paths(
        along.model,
        along.start,
        table.public,
        steps=length,
        positions=along.positions,
        learning_rate=release.settings.learning_rate,
        paths=release.privacy.paths,
        generator=generator,
    )
    reached = np.full(2, np.nan)
    if released.descent is None:
        thetas = public
    else:
        shape = (released.descent.steps, along.model.parameter_count)
        draws = torch.from_numpy(generator.standard_normal(shape)).to(along.start)
        points = release.private_points(released.descent, table.rows, draws)
        thetas, reached = release.about(points, public, released.descent), _reached(release, points)
    x = clipped_numbers(release.exact_values(table.rows, thetas), design.clip).cpu()
    first, second = (torch.from_numpy(generator.standard_normal(length)) for _ in range(2))
    return (design.law.release(x, first, second) * design.clip).numpy(), reached


def _reached(release: Mechanism, points: Tensor) -> Floats:
    """Utility that a path [steps + 1, P] gained, and the distance that it went."""
    ends = points[[0, -1]]
    release.evaluations += len(ends)
    judges = release.judges
    utility = path_utility(release.model, ends, judges.features, judges.target, release.settings.utility)
    return np.array([float(utility[1] - utility[0]), float((ends[1] - ends[0]).norm())])


def _gap(reached: Floats, known: Floats) -> float:
    """The larger of the two deviations from the stand-ins' mean, in their standard deviations."""
    spread = known.std(axis=0, ddof=1)
    return float(np.max(np.abs(reached - known.mean(axis=0)) / np.where(spread > 0, spread, np.inf)))


def _facts(calibration: Calibration, used: int) -> dict[str, float]:
    return {
        "release/stand_ins": float(used),
        "release/stand_in_spearman": calibration.rank_correlation,
        "release/stand_in_coverage": float(calibration.coverage.mean()),
        "release/widening": calibration.widening,
        "release/slope": calibration.slope,
    }
