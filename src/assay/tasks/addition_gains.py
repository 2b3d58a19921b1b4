"""Gains of a model when picked rows are added to random sets of others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from assay.learning.learners import Learner
from assay.learning.models import Shape
from assay.selection.by_value import top
from assay.statistics import mean_interval
from assay.tasks.uncertainty import columns
from assay.valuation.contributions.subsets import SubsetSampler
from assay.valuation.utilities import predictor_score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.arrays import Floats, Integers
    from assay.data import PreparedData
    from assay.runs import Streams
    from assay.valuation.valuator import Problem, Run

UNITS = {"accuracy": 100.0, "negative_loss": 1000.0}


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

    def __call__(self, number: int) -> dict[str, Floats]:
        """Gains [picks + 1, measures] of each pick, and of a random one last, over set `number` alone."""
        target = self.data.train.target[self.pool]
        labels = target.astype(np.int64) if self.data.kind == "classification" else None
        sampler = SubsetSampler(len(self.pool), labels, self.streams, f"held-{self.size}")
        base = np.sort(self.pool[sampler.subset(number, self.size)])
        every = [*self.picks.values(), self._random(number)]
        # sums of several threads are rounded in another order
        with threadpool_limits(1):
            alone = self._scores(base)
            added = [self._scores(np.concatenate([base, np.sort(self.points[pick])])) for pick in every]
        return {"gains": np.array(added) - alone}

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
    """The units of gains: accuracy in percentage points, and the loss's fall in thousandths (of a nat)."""
    return ("accuracy", "negative_loss") if kind == "classification" else ("negative_loss",)


@dataclass(frozen=True, eq=False)
class Picked:
    """Rows picked by each score, as places among `points` [c], which are train rows as those of `pool` are.

    `labels` [c] are the points' classes where picks are balanced.
    """

    points: Integers
    pool: Integers
    picks: dict[str, Integers]
    labels: NDArray[Any] | None

    def gains(self, problem: Problem, run: Run, size: int, repeats: int) -> dict[str, Floats]:
        """Gains [repeats, measures] of each pick over random sets of `size` rows."""
        data = problem.data
        learner = Learner(problem.model, Shape.of(data))
        work = Adding(learner, data, self.points, self.pool, self.picks, self.labels, run.streams, size)
        with run.showing(f"adding to {size} rows", repeats) as shown:
            parts = list(run.parts.map(f"gains-{size}", work, range(repeats), advance=shown.advance))
        gains = np.array([part["gains"] for part in parts])
        return dict(zip([*self.picks, "random"], gains.transpose(1, 0, 2), strict=True))


def gain_rows(gains: dict[int, dict[str, Floats]], kind: str) -> list[dict[str, Any]]:
    """Mean gains of every score for every size, with 95 % intervals over the sets."""
    rows: list[dict[str, Any]] = []
    for size, by_score in gains.items():
        for name, samples in by_score.items():
            row: dict[str, Any] = {"pool": size, "score": name}
            for place, measure in enumerate(measures(kind)):
                row |= columns({measure: mean_interval(samples[:, place])})
            rows.append(row)
    return rows


def gain_metrics(gains: dict[int, dict[str, Floats]], kind: str) -> dict[str, float]:
    """Mean gains and their spread; what matched and joint picks gain over every other, with standard errors over the sets."""
    metrics: dict[str, float] = {}
    for size, by_score in gains.items():
        for place, measure in enumerate(measures(kind)):
            by_name = {name: samples[:, place] for name, samples in by_score.items()}
            for name, samples in by_name.items():
                metrics[f"pool_{size}/{name}/{measure}"] = float(samples.mean())
                metrics[f"pool_{size}/{name}/{measure}/std"] = float(samples.std(ddof=1))
            for ours in (f"matched_{size}", f"joint_{size}"):
                for name in by_name:
                    if ours in by_name and name != ours:
                        ahead = by_name[ours] - by_name[name]
                        stem = f"pool_{size}/{ours.removesuffix(f'_{size}')}_over_{name}/{measure}"
                        metrics[stem] = float(ahead.mean())
                        metrics[f"{stem}/std_error"] = float(ahead.std(ddof=1) / len(ahead) ** 0.5)
    return metrics
