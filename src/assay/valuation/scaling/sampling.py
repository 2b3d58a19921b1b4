"""Contributions of points to random subsets, in parts that are saved one by one and spread over workers."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.runs.directory import write_atomically
from assay.runs.streams import Streams
from assay.valuation.scaling.choice import has_cheap_step, solver_for
from assay.valuation.scaling.contributions import CardinalityMeans, Contributions, cardinality_means
from assay.valuation.scaling.laws import Predicted
from assay.valuation.scaling.setting import Setting
from assay.valuation.scaling.solvers import Level, Solved
from assay.valuation.scaling.subsets import Cardinalities, SubsetSampler
from assay.valuation.scaling.two_level import corrected_means

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

PART = 50  # subsets of a part: what a killed run may lose


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

    def shared(self, purpose: str, sizes: Integers, level: Level = "exact") -> Solved:
        """Contributions of every point to subset number j of `sizes[j]` rows: delta [n, S]."""
        return self._in_parts(purpose, sizes, level, None)

    def fresh(self, purpose: str, sizes: Integers, points: Integers, level: Level = "exact") -> Solved:
        """Contribution of point `points[j]` to subset number j of `sizes[j]` rows: delta [1, S]."""
        return self._in_parts(purpose, sizes, level, points)

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
        few = min(samples, max(2, round(corrected * samples)))
        # the first `few` of each cardinality are the first few * K subsets of the same purpose
        cheap, exact = self.grid(purpose, sizes, samples, "cheap"), self.grid(purpose, sizes, few, "exact")
        return corrected_means(cheap, exact)

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
        if corrected is None or level != "exact" or not has_cheap_step(self.setting):
            terms = [self.shared(purpose, sizes, level).delta * weights]
        else:
            few = min(samples, max(2, round(corrected * samples)))
            cheap = self.shared(purpose, sizes, "cheap").delta
            exact = self.shared(purpose, sizes[:few], "exact").delta
            terms = [cheap * weights, (exact - cheap[:, :few]) * weights[:few]]
        mean = np.sum([each.mean(axis=1) for each in terms], axis=0)
        variance = np.sum([each.var(axis=1, ddof=1) / each.shape[1] for each in terms], axis=0)
        return Predicted(mean, np.sqrt(variance))

    def _in_parts(self, purpose: str, sizes: Integers, level: Level, points: Integers | None) -> Solved:
        starts = range(0, len(sizes), PART)
        paths = [None if self.scratch is None else self.scratch / f"{purpose}-{level}-{start}.npz" for start in starts]
        parts: list[Solved | None] = [_read(path) for path in paths]
        missing = [place for place, part in enumerate(parts) if part is None]
        work = _Part(self.setting, self.streams, purpose, level)
        jobs = [
            (
                int(starts[place]),
                sizes[starts[place] :][:PART],
                None if points is None else points[starts[place] :][:PART],
            )
            for place in missing
        ]
        self.advance(
            sum(len(sizes[start:][:PART]) for start, part in zip(starts, parts, strict=True) if part is not None)
        )
        for place, part in zip(missing, _spread(work, jobs, self.workers), strict=True):
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


@dataclass(frozen=True, eq=False)
class _Part:
    """Solves one part; can be sent to another process."""

    setting: Setting
    streams: Streams
    purpose: str
    level: Level

    def __call__(self, start: int, sizes: Integers, points: Integers | None) -> Solved:
        pool = self.setting.pool
        labels = pool.target.astype(np.int64) if self.setting.kind == "classification" else None
        sampler = SubsetSampler(len(pool), labels, self.streams, self.purpose)
        subsets = [sampler.subset(start + place, int(size)) for place, size in enumerate(sizes)]
        solver = solver_for(self.setting, self.level)
        return solver.shared(subsets) if points is None else solver.fresh(subsets, points)


def _spread(work: _Part, jobs: list[tuple[int, Integers, Integers | None]], workers: int) -> Iterable[Solved]:
    if workers == 1 or len(jobs) < 2:
        return (work(*job) for job in jobs)
    from joblib import Parallel, delayed

    return iter(Parallel(workers, return_as="generator")(delayed(work)(*job) for job in jobs))


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
