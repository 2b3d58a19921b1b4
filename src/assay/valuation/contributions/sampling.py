"""Contributions of points to random subsets, in parts that are saved one by one and spread over workers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from assay.runs.parts import Parts
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

PART = 50  # subsets of a part


@dataclass(frozen=True, eq=False)
class Sampling:
    """Contributions in a setting from random streams, in saved parts.

    A subset depends on the seed, the purpose and its number alone, so any number of workers gives the same bytes.
    """

    setting: Setting
    streams: Streams
    parts: Parts = field(default_factory=Parts)
    advance: Callable[[int], object] = lambda subsets: None
    _solvers: dict[Level, Solver] = field(
        default_factory=dict, init=False, repr=False
    )  # each keeps its starting points

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
            solved = self.shared(purpose, sizes, level)
            drawn, delta = np.broadcast_to(sizes, (points, samples)), solved.delta
        else:
            drawn = np.stack([cardinalities.draw(samples, generator) for _ in range(points)])
            owners = np.repeat(np.arange(points), samples)
            solved = self.fresh(purpose, drawn.ravel(), owners, level)
            delta = solved.delta.reshape(points, samples)
        return Contributions(drawn, delta, cardinalities.weights(drawn), shared, solved.fits, solved.fallbacks)

    def grid(self, purpose: str, sizes: Sequence[int], samples: int, level: Level = "exact") -> Contributions:
        """`samples` contributions of each point at each of the given cardinalities, to the same subsets for all points."""
        every = np.tile(np.asarray(sizes, dtype=np.int64), samples)
        solved = self.shared(purpose, every, level)
        drawn = np.broadcast_to(every, solved.delta.shape)
        return Contributions(drawn, solved.delta, np.ones(drawn.shape), True, solved.fits, solved.fallbacks)

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
        parts = [
            _Part(numbers[start:][:PART], sizes[start:][:PART], None if points is None else points[start:][:PART])
            for start in range(0, len(sizes), PART)
        ]
        work = _Solving(self.setting, self.streams, purpose, level, self._solvers)
        results = self.parts.map(f"{purpose}-{level}", work, parts, cost=len, advance=self.advance)
        solved = [Solved(**result) for result in results]
        return Solved(
            np.concatenate([part.delta for part in solved], axis=1),
            np.concatenate([part.utility for part in solved]),
            sum(part.fits for part in solved),
            sum(part.fallbacks for part in solved),
        )


def exact_subsets(share: float, cardinality: int, samples: int) -> int:
    """Number of a cardinality's subsets that are solved exactly, 2 at the least."""
    return min(samples, max(2, math.ceil(raised_share(share, cardinality) * samples)))


def built(setting: Setting, level: Level) -> Solver:
    """The solver, built in one thread: its sums over the valid rows must be the same in any process."""
    with threadpool_limits(1):
        return solver_for(setting, level)


@dataclass(frozen=True, eq=False)
class _Part:
    """Numbers and sizes of some subsets, and points where each has a subset that no other has."""

    numbers: Integers
    sizes: Integers
    points: Integers | None

    def __len__(self) -> int:
        return len(self.sizes)


@dataclass(frozen=True, eq=False)
class _Solving:
    """Solves parts by one solver, which is built for the first of them; another process builds another."""

    setting: Setting
    streams: Streams
    purpose: str
    level: Level
    solvers: dict[Level, Solver]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "solvers": {}}

    def __call__(self, part: _Part) -> dict[str, Any]:
        """Fields of the part's `Solved`."""
        pool = self.setting.pool
        labels = pool.target.astype(np.int64) if self.setting.kind == "classification" else None
        sampler = SubsetSampler(len(pool), labels, self.streams, self.purpose)
        if self.level not in self.solvers:
            self.solvers[self.level] = built(self.setting, self.level)
        solver = self.solvers[self.level]
        subsets = [
            sampler.subset(int(number), int(size)) for number, size in zip(part.numbers, part.sizes, strict=True)
        ]
        with threadpool_limits(1):  # sums of several threads are rounded in another order
            solved = solver.shared(subsets) if part.points is None else solver.fresh(subsets, part.points)
        return {each.name: getattr(solved, each.name) for each in fields(solved)}
