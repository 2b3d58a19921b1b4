"""Contributions of points to random subsets, in parts that are saved one by one and spread over workers."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from assay.runs.directory import write_atomically
from assay.runs.streams import Streams
from assay.valuation.contributions.choice import has_cheap_step, solver_for
from assay.valuation.contributions.samples import CardinalityMeans, Contributions, cardinality_means
from assay.valuation.contributions.setting import Setting
from assay.valuation.contributions.solver import Level, Solved, Solver
from assay.valuation.contributions.subsets import Cardinalities, SubsetSampler
from assay.valuation.contributions.two_level import combined, raised_share
from assay.valuation.laws.laws import Predicted

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_Job = tuple[Integers, Integers, Integers | None]  # numbers, sizes, and points where each has a subset of its own

PART = 50  # subsets of a part; a killed run may lose one, or with several workers the block that each is at


@dataclass(frozen=True, eq=False)
class Sampling:
    """Where contributions are sampled: the setting, the random streams, workers, and a folder for finished parts.

    A subset depends on the seed, the purpose and its number alone, so any number of workers finds the same bytes.
    """

    setting: Setting
    streams: Streams
    workers: int = 1
    scratch: Path | None = None
    advance: Callable[[int], object] = lambda subsets: None
    _solvers: dict[Level, Solver] = field(default_factory=dict, init=False, repr=False)  # what they start from is kept

    def shared(self, purpose: str, sizes: Integers, level: Level = "exact", numbers: Integers | None = None) -> Solved:
        """Contributions of every point to subset number j of `sizes[j]` rows: delta [n, S]; or to those of other `numbers`."""
        return self._in_parts(purpose, sizes, level, np.arange(len(sizes)) if numbers is None else numbers, None)

    def fresh(self, purpose: str, sizes: Integers, points: Integers, level: Level = "exact") -> Solved:
        """Contribution of point `points[j]` to subset number j of `sizes[j]` rows: delta [1, S]."""
        return self._in_parts(purpose, sizes, level, np.arange(len(sizes)), points)

    def samples(
        self, purpose: str, cardinalities: Cardinalities, samples: int, level: Level = "exact", *, shared: bool = True
    ) -> Contributions:
        """`samples` contributions of each point to subsets of random size: the same for all points, or its own for each."""
        points = len(self.setting.points)
        generator = self.streams.generator(purpose, "cardinalities")
        if shared:
            sizes = cardinalities.draw(samples, generator)
            found = self.shared(purpose, sizes, level)
            drawn, delta = np.broadcast_to(sizes, (points, samples)), found.delta
        else:
            drawn = np.stack([cardinalities.draw(samples, generator) for _ in range(points)])
            owners = np.repeat(np.arange(points), samples)
            found = self.fresh(purpose, drawn.ravel(), owners, level)
            delta = found.delta.reshape(points, samples)
        return Contributions(drawn, delta, cardinalities.weights(drawn), shared, found.fits, found.fallbacks)

    def grid(self, purpose: str, sizes: Sequence[int], samples: int, level: Level = "exact") -> Contributions:
        """`samples` contributions of each point at each of the given cardinalities, to the same subsets for all points."""
        every = np.tile(np.asarray(sizes, dtype=np.int64), samples)
        found = self.shared(purpose, every, level)
        drawn = np.broadcast_to(every, found.delta.shape)
        return Contributions(drawn, found.delta, np.ones(drawn.shape), True, found.fits, found.fallbacks)

    def means(
        self, purpose: str, sizes: Sequence[int], samples: int, corrected: float | None = 0.1, level: Level = "exact"
    ) -> CardinalityMeans:
        """Mean contributions at the given cardinalities over `samples` subsets each.

        With a share `corrected` all subsets are solved cheaply and that share of each cardinality exactly, which takes the
        bias away. All are solved exactly with None, at another level, and where a model has no cheap step.
        """
        if corrected is None or level != "exact" or not has_cheap_step(self.setting):
            return cardinality_means(self.grid(purpose, sizes, samples, level))
        cheap = self.grid(purpose, sizes, samples, "cheap")
        every = cheap.cardinality[0]
        # which subsets are solved exactly does not depend on what is in them: the first of each cardinality
        few = [exact_subsets(corrected, int(size), samples) for size in sizes]
        numbers = np.flatnonzero(np.arange(len(every)) // len(sizes) < np.tile(few, samples))
        exact = self.shared(purpose, every[numbers], "exact", numbers)
        columns = []
        for place, count in enumerate(few):
            quick, slow = cheap.delta[:, place :: len(sizes)], exact.delta[:, numbers % len(sizes) == place]
            columns.append(combined(quick, slow, np.arange(count)))
        mean, error, variance = (np.stack(each, axis=1) for each in zip(*columns, strict=True))
        fits, fallbacks = cheap.fits + exact.fits, cheap.fallbacks + exact.fallbacks
        return CardinalityMeans(every[: len(sizes)], mean, error, variance, samples, fits, fallbacks)

    def shapley(
        self,
        purpose: str,
        cardinalities: Cardinalities,
        samples: int,
        corrected: float | None = 0.1,
        level: Level = "exact",
    ) -> Predicted:
        """Distributional Shapley values [n] over uniform cardinalities, from `samples` subsets of log-uniform size.

        The weight of a subset is its size times the mean of 1/size, so that the mean is unbiased; `corrected` as in `means`.
        """
        law = replace(cardinalities, density="log_uniform")
        every = np.arange(law.smallest, law.largest + 1)
        sizes = law.draw(samples, self.streams.generator(purpose, "cardinalities"))
        weights = sizes * float((1 / every).mean())
        if corrected is not None and level == "exact" and has_cheap_step(self.setting):
            few = min(samples, max(2, round(corrected * samples)))
            cheap = self.shared(purpose, sizes, "cheap").delta
            exact = self.shared(purpose, sizes[:few], "exact").delta
            mean, error, _ = combined(cheap * weights, exact * weights[:few], np.arange(few))
            return Predicted(mean, error)
        terms = self.shared(purpose, sizes, level).delta * weights
        return Predicted(terms.mean(axis=1), terms.std(axis=1, ddof=1) / samples**0.5)

    def _in_parts(
        self, purpose: str, sizes: Integers, level: Level, numbers: Integers, points: Integers | None
    ) -> Solved:
        starts = range(0, len(sizes), PART)
        paths = [None if self.scratch is None else self.scratch / f"{purpose}-{level}-{start}.npz" for start in starts]
        parts: list[Solved | None] = [_read(path) for path in paths]
        self.advance(sum(len(part.utility) for part in parts if part is not None))
        missing = [place for place, part in enumerate(parts) if part is None]
        jobs: list[_Job] = [
            (numbers[start:][:PART], sizes[start:][:PART], None if points is None else points[start:][:PART])
            for start in (starts[place] for place in missing)
        ]
        work = _Parts(self.setting, self.streams, purpose, level)
        if self.workers == 1 and jobs and level not in self._solvers:
            self._solvers[level] = built(self.setting, level)
        solved = _spread(work, jobs, self.workers, self._solvers.get(level))
        for place, part in zip(missing, solved, strict=True):
            _write(paths[place], part)
            parts[place] = part
            self.advance(len(part.utility))
        done = [part for part in parts if part is not None]
        return Solved(
            np.concatenate([part.delta for part in done], axis=1),
            np.concatenate([part.utility for part in done]),
            sum(part.fits for part in done),
            sum(part.fallbacks for part in done),
        )


def exact_subsets(share: float, cardinality: int, samples: int) -> int:
    """How many of a cardinality's subsets are solved exactly, 2 at the least."""
    return min(samples, max(2, math.ceil(raised_share(share, cardinality) * samples)))


def built(setting: Setting, level: Level) -> Solver:
    """The solver, built in one thread: what it keeps of the valid rows must be the same in any process."""
    with threadpool_limits(1):
        return solver_for(setting, level)


@dataclass(frozen=True, eq=False)
class _Parts:
    """Solves parts one after the other with one solver, which keeps what it starts from; can be sent to another process."""

    setting: Setting
    streams: Streams
    purpose: str
    level: Level

    def __call__(self, jobs: Sequence[_Job], solver: Solver | None = None) -> Iterator[Solved]:
        pool = self.setting.pool
        labels = pool.target.astype(np.int64) if self.setting.kind == "classification" else None
        sampler = SubsetSampler(len(pool), labels, self.streams, self.purpose)
        solver = solver or built(self.setting, self.level)
        for numbers, sizes, points in jobs:
            subsets = [sampler.subset(int(number), int(size)) for number, size in zip(numbers, sizes, strict=True)]
            # sums of several threads are rounded in another order
            with threadpool_limits(1):
                found = solver.shared(subsets) if points is None else solver.fresh(subsets, points)
            yield found

    def all(self, jobs: Sequence[_Job]) -> list[Solved]:
        """The solutions of all jobs."""
        return list(self(jobs))


def _spread(work: _Parts, jobs: list[_Job], workers: int, solver: Solver | None) -> Iterator[Solved]:
    if workers == 1 or len(jobs) < 2:
        yield from work(jobs, solver)
        return
    from joblib import Parallel, delayed

    # some blocks for each worker, so that the setting is not sent, nor a solver built, for every part
    bounds = np.linspace(0, len(jobs), min(8 * workers, len(jobs)) + 1).astype(int).tolist()
    blocks = (delayed(work.all)(jobs[start:end]) for start, end in pairwise(bounds))
    for block in Parallel(workers, return_as="generator")(blocks):
        yield from block


def _write(path: Path | None, part: Solved) -> None:
    if path is not None:
        buffer = io.BytesIO()
        counts = np.array([part.fits, part.fallbacks])
        np.savez(buffer, allow_pickle=False, delta=part.delta, utility=part.utility, counts=counts)
        write_atomically(path, buffer.getvalue())


def _read(path: Path | None) -> Solved | None:
    if path is None or not path.exists():
        return None
    with np.load(path, allow_pickle=False) as held:
        return Solved(held["delta"], held["utility"], int(held["counts"][0]), int(held["counts"][1]))
