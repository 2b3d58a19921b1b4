"""What does a model lose or gain when the rows of lowest or highest value go, or when it is trained on them alone?"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from assay.config.limits import not_empty
from assay.data import PreparedData
from assay.errors import InputError
from assay.runs import Outcome
from assay.runs.directory import write_atomically
from assay.statistics import mean_interval
from assay.tasks.cells import RESEARCH, measure_cells, spending, swept_cells
from assay.tasks.fields import AtLeastTwo, PartialShare
from assay.tasks.headlines import of_summary
from assay.tasks.study import Study, gradient_valuator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.learning.learners import Learner

WAYS = ("remove_lowest", "remove_highest", "add_highest", "add_lowest")

SHOWN = ("mechanism", "separation", "removal_gain", "separation_added")


@dataclass(frozen=True)
class _Retraining:
    """Trains on parts of a ranking and scores on the test split; can be sent to another process."""

    learner: Learner
    data: PreparedData
    shares: tuple[float, ...]

    def __call__(self, ranking: NDArray[np.int64]) -> NDArray[np.float64]:
        """Scores [4, shares] of the ways of `WAYS`, for rows in ascending order of value."""
        return np.array([[self.score(part_of(ranking, way, share)) for share in self.shares] for way in WAYS])

    def score(self, rows: NDArray[np.int64]) -> float:
        """Accuracy, or minus the mean squared error, on the test split of the model trained on `rows`."""
        from assay.valuation.utilities import predictor_score

        train, test = self.data.train, self.data.test
        rows = np.sort(rows)  # so that the fit depends on which rows there are, and not on their ranks
        predictor = self.learner.fit(train.features[rows], train.target[rows], seed=0)
        utility = "negative_loss" if self.data.kind == "regression" else "accuracy"
        return predictor_score(predictor, test, self.data.kind, utility)


@dataclass(frozen=True)
class SelectionCurve:
    """Retrains without the lowest or highest values, and on the highest or lowest alone, and scores on the test split.

    `separation` is the area between the curves of removing the lowest and of removing the highest values, over the range of
    shares: the mean gain in accuracy (or fall in squared error) from 0 to the largest share. `separation_added` is the mean
    difference between training on the highest and on the lowest alone. Random rankings stand beside the mechanisms. The
    test split reports; nothing is chosen by it. Source: 2412.17008, data selection (as reviewers describe it); Ghorbani & Zou
    2019, Figure 3.
    """

    reads_test: ClassVar[bool] = True

    mechanisms: Annotated[list[str], not_empty("e.g. [none,iid]")] = field(
        default_factory=lambda: ["none", "iid", "running_mean", "running_mean_burn_in"]
    )
    shares: Annotated[list[PartialShare], not_empty("e.g. [0.1,0.3,0.5]")] = field(
        default_factory=lambda: [0.1, 0.2, 0.3, 0.4, 0.5]
    )
    replicates: AtLeastTwo = 24
    name: str = "selection_curve"

    def answer(self, study: Study) -> Outcome:
        """Tables curve and summary, the same as flat metrics, and a figure; a curve for each replicate of the values.

        Raises InputError for a model that no learner refits.
        """
        import pandas as pd

        from assay.figures.selection import selection_figure
        from assay.learning.learners import Learner
        from assay.learning.models import Shape

        valuator, data = gradient_valuator(study, self.name), study.data
        if not study.model.fitted_whole:
            raise InputError(
                "model", study.model.name, "is not among the models that are refitted whole", "use model=mlp"
            )
        cells = swept_cells(study.row_privacy(), self.mechanisms, [valuator.evaluations], self.replicates)
        found = measure_cells(study, valuator, cells)
        rankings = {
            c.privacy.name: f["values"].argsort(axis=1, kind="stable") for c, f in zip(cells, found, strict=True)
        }
        generator = study.context.streams.generator("random_rankings")
        rankings["random"] = generator.random((self.replicates, len(data.train))).argsort(axis=1, kind="stable")
        shares = tuple(sorted(self.shares))
        work = _Retraining(Learner(study.model, Shape.of(data)), data, shares)
        whole = work.score(np.arange(len(data.train)))
        curve: list[dict[str, Any]] = []
        summary: list[dict[str, Any]] = []
        with study.context.progress.task("retraining", len(rankings) * self.replicates) as bar:
            for name, ranking in rankings.items():
                scores = _curves(study, work, name, ranking)
                bar.advance(self.replicates)
                curve += _rows(name, shares, scores)
                summary.append({"mechanism": name, **_separations(shares, scores, whole)})
        ledger, spent = spending(found)
        tables = {"curve": pd.DataFrame(curve), "summary": pd.DataFrame(summary)}
        metrics = {"whole/score": whole, "epsilon_per_estimate": spent}
        metrics |= {f"{r['mechanism']}/{r['way']}/{r['share']}/score": float(r["score"]) for r in curve}
        for row in summary:
            measures = {k: v for k, v in row.items() if k != "mechanism" and not k.endswith(("_low", "_high"))}
            metrics |= {f"{row['mechanism']}/{name}": float(value) for name, value in measures.items()}
        metrics["utility_evaluations"] = float(sum(int(r["utility_evaluations"]) for r in found))
        metrics["model_fits"] = float(1 + len(rankings) * self.replicates * len(WAYS) * len(shares))
        return Outcome(
            metrics,
            tables,
            {"selection_curve": selection_figure(tables["curve"], whole, data.kind)},
            headline=of_summary("summary", SHOWN, {"whole/score": whole}),
            ledger=ledger,
            facts={"release": RESEARCH},
        )


def part_of(ranking: NDArray[np.int64], way: str, share: float) -> NDArray[np.int64]:
    """Rows that are left, or picked, of a ranking [n] in ascending order of value; round(share * n) are removed or added."""
    count = round(share * len(ranking))
    parts = {
        "remove_lowest": ranking[count:],
        "remove_highest": ranking[: len(ranking) - count],
        "add_highest": ranking[len(ranking) - count :],
        "add_lowest": ranking[:count],
    }
    return parts[way]


def _curves(study: Study, work: _Retraining, name: str, rankings: NDArray[np.int64]) -> NDArray[np.float64]:
    """Scores [R, 4, shares] of all replicates, from their file if an interrupted run had got so far."""
    path = study.context.scratch / f"curves-{name}.npy"
    if not path.exists():
        if study.context.workers == 1:
            scores = [work(ranking) for ranking in rankings]
        else:
            from joblib import Parallel, delayed

            scores = Parallel(study.context.workers)(delayed(work)(ranking) for ranking in rankings)
        buffer = io.BytesIO()
        np.save(buffer, np.array(scores))
        write_atomically(path, buffer.getvalue())
    return np.asarray(np.load(path))


def _rows(name: str, shares: Sequence[float], scores: NDArray[np.float64]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for place, way in enumerate(WAYS):
        for share, samples in zip(shares, scores[:, place].T, strict=True):
            interval = mean_interval(samples)
            row = {"mechanism": name, "way": way, "share": f"{share:g}", "score": interval.estimate}
            rows.append({**row, "score_low": interval.low, "score_high": interval.high})
    return rows


def _separations(shares: Sequence[float], scores: NDArray[np.float64], whole: float) -> dict[str, float]:
    """Means over shares, with intervals over replicates; at share 0 nothing is removed, and both curves meet."""
    lowest, highest, added_highest, added_lowest = scores.transpose(1, 0, 2)
    found = {
        "separation": _area(shares, lowest - highest),
        "removal_gain": _area(shares, lowest - whole),
        "separation_added": (added_highest - added_lowest).mean(axis=1),
    }
    row: dict[str, float] = {}
    for name, samples in found.items():
        interval = mean_interval(samples)
        row |= {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return row


def _area(shares: Sequence[float], heights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean height [R] from share 0, where it is 0, to the last share, by the trapezoidal rule."""
    at = np.array([0.0, *shares])
    padded = np.concatenate([np.zeros((len(heights), 1)), heights], axis=1)
    return np.asarray(np.trapezoid(padded, at, axis=1) / at[-1])
