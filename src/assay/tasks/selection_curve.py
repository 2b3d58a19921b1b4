"""Losses and gains of a model when the rows of lowest or highest value go, or when it is trained on them alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from assay.config.limits import not_empty
from assay.runs import Outcome
from assay.statistics import mean_interval
from assay.tasks.comparison import RESEARCH, spending, swept_cells
from assay.tasks.fields import AtLeastTwo, Contenders, PartialShare
from assay.tasks.headlines import of_summary
from assay.tasks.needs import check_fitted_whole, check_test_split
from assay.tasks.uncertainty import columns

if TYPE_CHECKING:
    from assay.arrays import Floats, Integers
    from assay.config.choices import Choices
    from assay.data import PreparedData
    from assay.learning.learners import Learner
    from assay.valuation.valuator import Problem, Run, Valuator

SHOWN = ("contender", "separation", "removal_gain", "separation_added")
WAYS = ("remove_lowest", "remove_highest", "add_highest", "add_lowest")


@dataclass(frozen=True, eq=False)
class _Retraining:
    """Trains on parts of a ranking and scores on the test split; can be sent to another process."""

    learner: Learner
    data: PreparedData
    shares: tuple[float, ...]

    def __call__(self, ranking: Integers) -> dict[str, Floats]:
        """Scores [4, shares] of the ways of `WAYS`, for rows in ascending order of value."""
        scores = [[self.score(part_of(ranking, way, share)) for share in self.shares] for way in WAYS]
        return {"scores": np.array(scores)}

    def score(self, rows: Integers) -> float:
        """Accuracy, or minus the mean squared error, on the test split of the model trained on `rows`."""
        from assay.valuation.utilities import predictor_score

        train, test = self.data.train, self.data.test
        rows = np.sort(rows)  # so that the fit depends on which rows there are, and not on their ranks
        utility = "negative_loss" if self.data.kind == "regression" else "accuracy"
        with threadpool_limits(1):  # sums of several threads are rounded in another order
            predictor = self.learner.fit(train.features[rows], train.target[rows], seed=0)
            return predictor_score(predictor, test, self.data.kind, utility)


@dataclass(frozen=True)
class SelectionCurve:
    """Retrains without the lowest or highest values, and on the highest or lowest alone, and scores on the test split.

    `separation` is the area between the curves of removing the lowest and of removing the highest values, over the range of
    shares: the mean gain in accuracy (or fall in squared error) from 0 to the largest share. `separation_added` is the mean
    difference between training on the highest and on the lowest alone. Random rankings stand beside the contenders. The
    test split reports; nothing is chosen by it. Source: 2412.17008, data selection (as reviewers describe it); Ghorbani & Zou
    2019, Figure 3.
    """

    reads_test: ClassVar[bool] = True

    contenders: Contenders = ("none", "iid", "running_mean", "running_mean_burn_in")  # type: ignore[assignment]
    shares: Annotated[tuple[PartialShare, ...], not_empty("e.g. [0.1,0.3,0.5]")] = (0.1, 0.2, 0.3, 0.4, 0.5)
    replicates: AtLeastTwo = 24
    name: str = "selection_curve"

    def check(self, run: Choices) -> None:
        """Raises InputError for a model that is not refitted whole, and a dataset without test rows."""
        check_test_split(run)
        check_fitted_whole(run.model)

    def answer(self, problem: Problem, valuator: Valuator, run: Run) -> Outcome:
        """Tables curve and summary, the same as flat metrics, and a figure; a curve for each replicate of the values."""
        import pandas as pd

        from assay.figures.selection import selection_figure
        from assay.learning.learners import Learner
        from assay.learning.models import Shape
        from assay.tasks.measuring import measure

        data = problem.data
        check_fitted_whole(problem.model)
        cells = [
            cell
            for each in self.contenders
            for cell in swept_cells([each], [getattr(each.valuation, "evaluations", 1)], self.replicates)
        ]
        results = measure(cells, problem, run)
        rankings = {each.cell.contender.name: each.values.argsort(axis=1, kind="stable") for each in results}
        generator = run.streams.generator("random_rankings")
        rankings["random"] = generator.random((self.replicates, len(data.train))).argsort(axis=1, kind="stable")
        shares = tuple(sorted(self.shares))
        work = _Retraining(Learner(problem.model, Shape.of(data)), data, shares)
        whole = work.score(np.arange(len(data.train)))
        curve: list[dict[str, Any]] = []
        summary: list[dict[str, Any]] = []
        with run.showing("retraining", len(rankings) * self.replicates) as shown:
            for name, ranking in rankings.items():
                parts = run.parts.map(f"curves-{name}", work, ranking, advance=shown.advance)
                scores = np.array([part["scores"] for part in parts])
                curve += _rows(name, shares, scores)
                summary.append({"contender": name, **_separations(shares, scores, whole)})
        ledger, spent = spending(results)
        tables = {"curve": pd.DataFrame(curve), "summary": pd.DataFrame(summary)}
        metrics = {"whole/score": whole, "epsilon_per_estimate": spent}
        metrics |= {f"{r['contender']}/{r['way']}/{r['share']}/score": float(r["score"]) for r in curve}
        for row in summary:
            measures = {k: v for k, v in row.items() if k != "contender" and not k.endswith(("_low", "_high"))}
            metrics |= {f"{row['contender']}/{name}": float(value) for name, value in measures.items()}
        metrics["utility_evaluations"] = float(sum(each.utility_evaluations for each in results))
        metrics["model_fits"] = float(1 + len(rankings) * self.replicates * len(WAYS) * len(shares))
        return Outcome(
            metrics,
            tables,
            {"selection_curve": selection_figure(tables["curve"], whole, data.kind)},
            headline=of_summary(tables["summary"], SHOWN, {"whole/score": whole}),
            ledger=ledger,
            facts={"release": RESEARCH},
        )


def part_of(ranking: Integers, way: str, share: float) -> Integers:
    """Rows that are left, or picked, of a ranking [n] in ascending order of value; round(share * n) are removed or added."""
    count = round(share * len(ranking))
    parts = {
        "remove_lowest": ranking[count:],
        "remove_highest": ranking[: len(ranking) - count],
        "add_highest": ranking[len(ranking) - count :],
        "add_lowest": ranking[:count],
    }
    return parts[way]


def _rows(name: str, shares: Sequence[float], scores: Floats) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for place, way in enumerate(WAYS):
        for share, samples in zip(shares, scores[:, place].T, strict=True):
            interval = mean_interval(samples)
            row = {"contender": name, "way": way, "share": f"{share:g}", "score": interval.estimate}
            rows.append({**row, "score_low": interval.low, "score_high": interval.high})
    return rows


def _separations(shares: Sequence[float], scores: Floats, whole: float) -> dict[str, float]:
    """Means over shares, with intervals over replicates; at share 0 nothing is removed, and both curves meet."""
    lowest, highest, added_highest, added_lowest = scores.transpose(1, 0, 2)
    areas = {
        "separation": _area(shares, lowest - highest),
        "removal_gain": _area(shares, lowest - whole),
        "separation_added": (added_highest - added_lowest).mean(axis=1),
    }
    return columns({name: mean_interval(samples) for name, samples in areas.items()})


def _area(shares: Sequence[float], heights: Floats) -> Floats:
    """Mean height [R] from share 0, where it is 0, to the last share, by the trapezoidal rule."""
    at = np.array([0.0, *shares])
    padded = np.concatenate([np.zeros((len(heights), 1)), heights], axis=1)
    return np.asarray(np.trapezoid(padded, at, axis=1) / at[-1])
