"""Points picked for what they add together, not each alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from assay.errors import InputError
from assay.runs.streams import Streams
from assay.valuation.contributions.choice import has_cheap_step, has_closed_form, solver_for
from assay.valuation.contributions.setting import Labelled, Setting
from assay.valuation.contributions.subsets import SubsetSampler

Integers = NDArray[np.int64]


def can_pick_jointly(setting: Setting) -> bool:
    """True where contributions are a closed form, so that all points can be scored again and again."""
    return has_closed_form(setting)


def pick_jointly(
    setting: Setting,
    size: int,
    count: int,
    streams: Streams,
    quotas: Integers | None = None,
    subsets: int = 20,
    together: int = 5,
) -> Integers:
    """Positions of `count` points for a data set of `size` rows, in the order in which they were picked [ours].

    The best `together` points by mean contribution to `subsets` random sets of `size` pool rows are picked; then all others
    are scored again, by what they add to fresh sets with the picked points in them; and so on. What two points say alike is so
    counted once, where scores of single points count it twice. With `quotas` [classes] so many of each class. InputError for
    a model without a closed form and for more picks than points.
    """
    if not can_pick_jointly(setting):
        limit = "scores every point again after every few picks, which takes contributions in closed form"
        raise InputError("task.joint", "true", limit, "use model=auto, or task.joint=false")
    points, pool = len(setting.points), len(setting.pool)
    if count > points:
        raise InputError("task.add", count, f"there are {points} points", "lower it")
    both = Labelled(
        np.concatenate([setting.pool.features, setting.points.features]),
        np.concatenate([setting.pool.target, setting.points.target]),
    )
    solver = solver_for(replace(setting, pool=both), "cheap" if has_cheap_step(setting) else "exact")
    classes = setting.pool.target.astype(np.int64) if setting.kind == "classification" else None
    sampler = SubsetSampler(pool, classes, streams, f"joint-{size}")
    labels = setting.points.target.astype(np.int64) if quotas is not None else np.zeros(points, dtype=np.int64)
    left = np.array([count]) if quotas is None else quotas.copy()
    picked = np.empty(0, dtype=np.int64)
    with threadpool_limits(1):  # sums of several threads are rounded in another order
        while len(picked) < count:
            first = len(picked) * subsets
            sets = [np.append(sampler.subset(first + each, size), pool + picked) for each in range(subsets)]
            score = solver.shared(sets).delta.mean(axis=1)
            score[picked] = -np.inf
            for point in np.argsort(-score, kind="stable"):
                if left[labels[point]] > 0:
                    left[labels[point]] -= 1
                    picked = np.append(picked, point)
                    if len(picked) % together == 0 or len(picked) == count:
                        break
    return picked
