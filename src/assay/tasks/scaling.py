"""Common parts of the tasks on scaling laws: the rows that are valued, and where their contributions are sampled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from assay.errors import InputError
from assay.learning.models import Shape
from assay.valuation.laws.estimators import ESTIMATORS

if TYPE_CHECKING:
    from assay.arrays import Integers
    from assay.config.choices import Choices
    from assay.data import PreparedData
    from assay.runs import Streams
    from assay.valuation.contributions.sampling import Sampling
    from assay.valuation.contributions.setting import ScalingUtility, Setting
    from assay.valuation.contributions.solver import Level
    from assay.valuation.contributions.subsets import Cardinalities
    from assay.valuation.laws.scaling_law import RowLaws
    from assay.valuation.valuator import Problem, Run


class LawValuator(Protocol):
    """A valuator that fits a law in the number of rows to each row."""

    evaluations: int
    largest: int | None
    level: Level
    utility: ScalingUtility

    @property
    def cardinalities(self) -> Cardinalities:
        """Sizes of random subsets, of a valuator that is `sized`."""
        ...

    def sized(self, available: int, shape: Shape) -> LawValuator:
        """The same with sizes for subsets that are drawn from so many rows."""
        ...

    def laws(self, problem: Problem, run: Run) -> RowLaws:
        """The law of every train row."""
        ...


def check_at_one_size(run: Choices, estimators: Sequence[str] = ()) -> None:
    """Raises InputError for an estimator that is no law, where one is read at sizes that were not sampled."""
    for key, name in [("valuation.estimator", run.valuation.estimator), *(("task.estimators", e) for e in estimators)]:
        if not ESTIMATORS[name].extrapolates:
            limit = f"is no law, and task={run.task.name} needs one at sizes that were not sampled"
            raise InputError(key, name, limit, "use likelihood or empirical_bayes")


def sized_for(
    valuator: LawValuator, data: PreparedData, points: int, *, beyond: int = 1, key: str = "task.points"
) -> LawValuator:
    """The valuator with sizes for subsets of the train rows beside some `points`, and `beyond` rows to spare.

    A grid of sizes goes one row beyond the largest. Raises InputError when the others are too few.
    """
    others = len(data.train) - points
    _check_others(len(data.train), points, (valuator.largest or 1) + beyond, key)
    return valuator.sized(others - beyond, Shape.of(data))


def _check_others(rows: int, points: int, largest: int, key: str) -> None:
    if points + largest > rows:
        limit = f"leaves {max(rows - points, 0)} of {rows} train rows to draw subsets of {largest} from"
        raise InputError(key, points, limit, "lower it or the subsets' size, or raise dataset.split.train")


def grid_of(valuator: LawValuator, count: int, least: int = 3) -> Integers:
    """`count` cardinalities of the valuator's range, at equal ratios; InputError when fewer than `least` differ."""
    between = valuator.cardinalities
    sizes = between.grid(count)
    if len(sizes) < least:
        limit = f"with valuation.largest={between.largest} there are {len(sizes)} sizes, and a law needs {least}"
        raise InputError("valuation.smallest", between.smallest, limit, "lower it, or raise valuation.largest")
    return sizes


def split_points(
    data: PreparedData, streams: Streams, points: int, largest: int, key: str = "task.points"
) -> tuple[Integers, Integers]:
    """Positions of the train rows to be valued, and of the others, from which subsets are drawn; both ascending.

    Raises InputError when the others are fewer than the largest subset.
    """
    rows = len(data.train)
    _check_others(rows, points, largest, key)
    order = streams.generator("points").permutation(rows)
    return np.sort(order[:points]), np.sort(order[points:])


def setting_at(problem: Problem, valuator: LawValuator, points: Integers, pool: Integers) -> Setting:
    """Some train rows joining subsets of others, with the problem's model and the valuator's utility."""
    from assay.valuation.contributions.setting import setting_of

    return setting_of(problem.data, points, pool, problem.model, valuator.utility)


def sampling_of(setting: Setting, run: Run) -> Sampling:
    """Where a run samples contributions."""
    from assay.valuation.contributions.sampling import Sampling

    return Sampling(setting, run.streams, run.parts, run.advance)
