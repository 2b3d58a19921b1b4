"""What the tasks on scaling laws share: which rows are valued, and where their contributions are sampled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from assay.errors import InputError
from assay.tasks.study import Study
from assay.valuation.contributions.sampling import Sampling
from assay.valuation.contributions.setting import Setting, setting_of
from assay.valuation.laws.scaling_law import ScalingLaw

if TYPE_CHECKING:
    from numpy.typing import NDArray


def scaling_valuator(study: Study, task: str) -> ScalingLaw:
    """The valuator of a task that fits scaling laws; InputError when another was chosen."""
    if not isinstance(study.valuator, ScalingLaw):
        told = f"task={task} fits scaling laws and this does not"
        raise InputError("valuation", type(study.valuator).__name__, told, "use valuation=scaling_law")
    return study.valuator


def grid_of(valuator: ScalingLaw, count: int, least: int = 3) -> NDArray[np.int64]:
    """`count` cardinalities of the valuator's range, at equal ratios; InputError when fewer than `least` differ."""
    sizes = valuator.cardinalities.grid(count)
    if len(sizes) < least:
        told = f"with valuation.largest={valuator.largest} there are {len(sizes)} sizes, and a law needs {least}"
        raise InputError("valuation.smallest", valuator.smallest, told, "lower it, or raise valuation.largest")
    return sizes


def split_points(
    study: Study, points: int, largest: int, key: str = "task.points"
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions of the train rows to be valued, and of the others, from which subsets are drawn; both ascending.

    Raises InputError when the others are fewer than the largest subset.
    """
    rows = len(study.data.train)
    if points + largest > rows:
        told = f"leaves {max(rows - points, 0)} of {rows} train rows to draw subsets of {largest} from"
        raise InputError(key, points, told, "lower it or the subsets' size, or raise dataset.split.train")
    order = study.context.streams.generator("points").permutation(rows)
    return np.sort(order[:points]), np.sort(order[points:])


def scaling_problem(study: Study, valuator: ScalingLaw, points: NDArray[np.int64], pool: NDArray[np.int64]) -> Setting:
    """Some train rows joining subsets of others, with the study's model and the valuator's utility."""
    return setting_of(study.data, points, pool, study.model, valuator.utility)


def sampling_of(study: Study, setting: Setting, advance: Callable[[int], object]) -> Sampling:
    """Where the study samples contributions."""
    context = study.context
    return Sampling(setting, context.streams, context.workers, context.scratch, advance)
