"""What a model gains when picked rows are added to random sets of others."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from assay.data import PreparedData
from assay.learning.learners import Learner
from assay.learning.models import Shape
from assay.runs.directory import write_atomically
from assay.runs.streams import Streams
from assay.statistics import mean_interval
from assay.tasks.study import Study
from assay.valuation.contributions.subsets import SubsetSampler, proportional
from assay.valuation.utilities import predictor_score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

UNITS = {"accuracy": 100.0, "negative_loss": 1000.0}


def top(score: Floats, count: int, labels: NDArray[Any] | None) -> Integers:
    """Positions of the `count` highest scores, as many of each class as all have of it; ties go to the earlier row."""
    order = np.argsort(-score, kind="stable")
    if labels is None:
        return order[:count]
    classes, sizes = np.unique(labels, return_counts=True)
    shares = proportional(sizes, count, np.random.default_rng(0))
    kept = [order[labels[order] == label][:share] for label, share in zip(classes, shares, strict=True)]
    return np.concatenate(kept)


@dataclass(frozen=True)
class Adding:
    """Adds every pick to one random set; can be sent to another process."""

    learner: Learner
    data: PreparedData
    points: Integers
    pool: Integers
    picks: dict[str, Integers]
    labels: NDArray[Any] | None  # of the points, where picks are balanced
    streams: Streams
    size: int

    def __call__(self, number: int) -> Floats:
        """Gains of each pick, and of a random one last, over set `number` alone: [picks + 1, measures]."""
        target = self.data.train.target[self.pool]
        labels = target.astype(np.int64) if self.data.kind == "classification" else None
        sampler = SubsetSampler(len(self.pool), labels, self.streams, f"held-{self.size}")
        held = np.sort(self.pool[sampler.subset(number, self.size)])
        every = [*self.picks.values(), self._random(number)]
        # sums of several threads are rounded in another order
        with threadpool_limits(1):
            alone = self._scores(held)
            added = [self._scores(np.concatenate([held, np.sort(self.points[pick])])) for pick in every]
        return np.array(added) - alone

    def _random(self, number: int) -> Integers:
        """A random pick of as many points, the same for every size."""
        count = len(next(iter(self.picks.values())))
        return top(self.streams.generator("random pick", number).random(len(self.points)), count, self.labels)

    def _scores(self, rows: Integers) -> Floats:
        """The measures [measures] of the model fitted to train rows, on the test split."""
        train, kind = self.data.train, self.data.kind
        predictor = self.learner.fit(train.features[rows], train.target[rows], seed=0)
        return np.array(
            [UNITS[each] * predictor_score(predictor, self.data.test, kind, each) for each in measures(kind)]
        )


def measures(kind: str) -> tuple[str, ...]:
    """What gains are told in: accuracy in percentage points, and the loss's fall in thousandths (of a nat)."""
    return ("accuracy", "negative_loss") if kind == "classification" else ("negative_loss",)


def gains_over(
    study: Study,
    points: Integers,
    pool: Integers,
    picks: dict[str, Integers],
    labels: NDArray[Any] | None,
    size: int,
    repeats: int,
) -> dict[str, Floats]:
    """Gains [repeats, measures] of each pick over random sets of `size` rows; kept in a file until the run is finished."""
    data, context = study.data, study.context
    path = context.scratch / f"gains-{size}.npy"
    if not path.exists():
        learner = Learner(study.model, Shape.of(data))
        work = Adding(learner, data, points, pool, picks, labels, context.streams, size)
        with context.progress.task(f"adding to {size} rows", repeats) as bar:
            found = []
            for gains in _spread(work, repeats, context.workers):
                found.append(gains)
                bar.advance(1)
        buffer = io.BytesIO()
        np.save(buffer, np.array(found))
        write_atomically(path, buffer.getvalue())
    return dict(zip([*picks, "random"], np.load(path).transpose(1, 0, 2), strict=True))


def _spread(work: Adding, repeats: int, workers: int) -> Any:
    if workers == 1:
        return (work(number) for number in range(repeats))
    from joblib import Parallel, delayed

    return Parallel(workers, return_as="generator")(delayed(work)(number) for number in range(repeats))


def gain_rows(gains: dict[int, dict[str, Floats]], kind: str) -> list[dict[str, Any]]:
    """Mean gains of every score for every size, with 95 % intervals over the sets."""
    rows: list[dict[str, Any]] = []
    for size, by_score in gains.items():
        for name, samples in by_score.items():
            row: dict[str, Any] = {"pool": size, "score": name}
            for place, measure in enumerate(measures(kind)):
                interval = mean_interval(samples[:, place])
                row |= {measure: interval.estimate, f"{measure}_low": interval.low, f"{measure}_high": interval.high}
            rows.append(row)
    return rows


def gain_metrics(gains: dict[int, dict[str, Floats]], kind: str) -> dict[str, float]:
    """Mean gains and their spread; what matched and joint picks gain over every other, with standard errors over the sets."""
    metrics: dict[str, float] = {}
    for size, by_score in gains.items():
        for place, measure in enumerate(measures(kind)):
            held = {name: samples[:, place] for name, samples in by_score.items()}
            for name, samples in held.items():
                metrics[f"pool_{size}/{name}/{measure}"] = float(samples.mean())
                metrics[f"pool_{size}/{name}/{measure}/std"] = float(samples.std(ddof=1))
            for ours in (f"matched_{size}", f"joint_{size}"):
                for name in held:
                    if ours in held and name != ours:
                        ahead = held[ours] - held[name]
                        stem = f"pool_{size}/{ours.removesuffix(f'_{size}')}_over_{name}/{measure}"
                        metrics[stem] = float(ahead.mean())
                        metrics[f"{stem}/std_error"] = float(ahead.std(ddof=1) / len(ahead) ** 0.5)
    return metrics
