"""Contributions to any learner, by fitting it with and without a point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from assay.learning.learners import Learner
from assay.processes import in_workers
from assay.valuation.contributions.scores import utility_of
from assay.valuation.contributions.setting import Labelled, Setting
from assay.valuation.contributions.solver import Integers, Solved

Floats = NDArray[np.float64]

SEED = 0  # of every fit, as in the paper's code: a difference must not be one of seeds


@dataclass(frozen=True, eq=False)
class SubsetResult:
    """Contributions of points to one subset: delta [n], the subset's utility, and the number of points refitted for safety."""

    delta: Floats
    utility: float
    fallbacks: int = 0


# the contributions of some points (positions) to the subset of these rows of the pool
SubsetJob = Callable[[Integers, Integers], SubsetResult]


@dataclass(frozen=True, eq=False)
class Refits:
    """A `SubsetJob` of one fit of the learner for the subset and one for each point."""

    setting: Setting

    def __call__(self, rows: Integers, points: Integers) -> SubsetResult:
        """Contributions of the points; a point is the last row of its fit."""
        subset, joining = self.setting.pool.take(rows), self.setting.points.take(points)
        alone = self._utility(subset)
        delta = np.empty(len(points))
        for place in range(len(points)):
            delta[place] = self._utility(with_row(subset, joining, place)) - alone
        return SubsetResult(delta, alone)

    def _utility(self, rows: Labelled) -> float:
        of = self.setting
        predictor = Learner(of.model, of.shape).fit(rows.features, rows.target, seed=SEED)
        return utility_of(predictor, of)


def with_row(subset: Labelled, joining: Labelled, place: int) -> Labelled:
    """The subset and one more row at its end."""
    features = np.concatenate([subset.features, joining.features[place : place + 1]])
    return Labelled(features, np.concatenate([subset.target, joining.target[place : place + 1]]))


class RefitSolver:
    """Contributions by refitting a learner, with one seed for all fits; subsets are spread over processes.

    The same bytes for any number of workers. Raises InputError where the model does not fit the target or the utility.
    """

    def __init__(self, setting: Setting, workers: int = 1, job: SubsetJob | None = None) -> None:
        setting.model.resolved(setting.kind, setting.modality)
        self.setting = setting
        self.workers = workers
        self._job = job or Refits(setting)

    def shared(self, subsets: Sequence[Integers]) -> Solved:
        """Contributions of every point to every subset (positions in the pool): delta [n, S]."""
        everyone = np.arange(len(self.setting.points))
        return _solved(run_jobs(self._job, [(rows, everyone) for rows in subsets], self.workers))

    def fresh(self, subsets: Sequence[Integers], points: Integers) -> Solved:
        """Contribution of point `points[s]` to subset s alone: delta [1, S]."""
        tasks = [(rows, np.asarray(points)[place : place + 1]) for place, rows in enumerate(subsets)]
        return _solved(run_jobs(self._job, tasks, self.workers))


def _solved(results: Sequence[SubsetResult]) -> Solved:
    delta = np.stack([each.delta for each in results], axis=1)
    fits = sum(len(each.delta) + 1 for each in results)
    return Solved(delta, np.array([each.utility for each in results]), fits, sum(each.fallbacks for each in results))


def run_jobs(job: SubsetJob, tasks: Sequence[tuple[Integers, Integers]], workers: int) -> list[SubsetResult]:
    """Results of the tasks in their order; each is computed alone and in one thread, wherever it is computed."""
    if workers == 1 or len(tasks) < 2:
        return _run(job, tasks)
    from joblib import delayed

    # some blocks for each worker, so that the setting is not sent with every task
    bounds = np.linspace(0, len(tasks), min(4 * workers, len(tasks)) + 1).astype(int)
    blocks = [tasks[start:end] for start, end in pairwise(bounds.tolist())]
    results = in_workers(workers, (delayed(_run)(job, block) for block in blocks))
    return [result for block in results for result in block]


def _run(job: SubsetJob, tasks: Sequence[tuple[Integers, Integers]]) -> list[SubsetResult]:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return [job(rows, points) for rows, points in tasks]
