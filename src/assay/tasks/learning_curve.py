"""The error of a model by number of rows, and the number of rows that reaches a wanted error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from assay.config.limits import Limit, at_least
from assay.errors import InputError
from assay.learning.models import Shape
from assay.runs import Outcome
from assay.tasks.fields import AtLeastTwo
from assay.tasks.headlines import of_summary
from assay.tasks.needs import check_laws
from assay.tasks.scaling import grid_of
from assay.valuation.contributions.subsets import SubsetSampler
from assay.valuation.laws.laws import Predicted
from assay.valuation.laws.learning_curve import AggregateLaw, fit_aggregate

if TYPE_CHECKING:
    from assay.arrays import Floats, Integers
    from assay.config.choices import Choices
    from assay.runs import Streams
    from assay.tasks.scaling import LawValuator
    from assay.valuation.valuator import Problem, Run

SAME = 1e-9  # share of an error within which rounding alone tells subsets apart


@dataclass(frozen=True)
class LearningCurve:
    """Fits eps + c / k^alpha to the mean valid error of models of k rows, at `cardinalities` sizes with `samples` subsets each.

    The error is minus the valuator's utility (1 - accuracy for accuracy). `target`: an error for which the number of rows is
    wanted (null: none). `extrapolation` compares the law's error at the size of the whole train split with that of the model
    fitted to it. Source: 2405.20456, aggregate law; intervals as in `valuation/laws/learning_curve.py`.
    """

    reads_test: ClassVar[bool] = False

    cardinalities: Annotated[int, at_least(4, "a law of three parameters needs as many places and one")] = 10
    samples: AtLeastTwo = 50
    target: Annotated[
        float | None, Limit(lambda error: error is None or error > 0, "must be > 0", "null asks for none")
    ] = None
    name: str = "learning_curve"

    def check(self, run: Choices) -> None:
        """Raises InputError for a valuation without laws."""
        check_laws(run)

    def answer(self, problem: Problem, valuator: LawValuator, run: Run) -> Outcome:
        """Table `summary` (error by size); metrics of the law, of the wanted error and of the extrapolation."""
        import pandas as pd

        from assay.figures.scaling import learning_figure

        rows = len(problem.data.train)
        if valuator.utility not in ("negative_loss", "accuracy"):
            reason = "has no error of a data set to it"
            raise InputError("valuation.utility", valuator.utility, reason, "use negative_loss or accuracy")
        # subsets of nearly all rows are nearly the same, so that their spread would say nothing of their error
        available = rows // 2 if valuator.largest is None else rows - 1
        valuator = valuator.sized(max(1, available), Shape.of(problem.data))
        sizes = grid_of(valuator, self.cardinalities, least=4)
        if sizes[-1] > rows:
            reason = f"{sizes[-1]} rows cannot be drawn from a train split of {rows}"
            raise InputError(
                "valuation.largest", valuator.cardinalities.largest, reason, "lower it, or raise dataset.split.train"
            )
        work = _Fitting(problem, run.streams, valuator.utility, self.samples)
        with run.showing("fitting models", len(sizes)) as shown:
            parts = run.parts.map("errors", work, sizes.tolist(), cost=float, advance=lambda rows: shown.advance(1))
            errors = np.array([part["errors"] for part in parts])
        mean, std_error = errors.mean(axis=1), errors.std(axis=1, ddof=1) / self.samples**0.5
        if not (std_error > SAME * mean).all():
            reason = f"the error is the same for every subset of {sizes[int(np.argmin(std_error))]} rows"
            raise InputError("task.samples", self.samples, reason, "raise it or valuation.smallest")
        law = fit_aggregate(sizes, mean, std_error)
        low, high = law.at(sizes).interval()
        columns = {"cardinality": sizes, "error": mean, "std_error": std_error, "fitted": law.at(sizes).mean}
        summary = pd.DataFrame({**columns, "fitted_low": low, "fitted_high": high})
        metrics = {**_of_law(law), **self._of_target(law), **work.extrapolation(law)}
        metrics["model_fits"] = float(errors.size + 1)
        further = np.geomspace(sizes[0], 10 * sizes[-1], 60)
        low, high = law.at(further).interval()
        columns = {"cardinality": further, "error": law.at(further).mean, "error_low": low, "error_high": high}
        curve = pd.DataFrame({**columns, "floor": law.floor})
        return Outcome(
            metrics,
            {"summary": summary, "law": curve},
            {"learning_curve": learning_figure(summary, curve)},
            headline=of_summary(summary, (), metrics),
        )

    def _of_target(self, law: AggregateLaw) -> dict[str, float]:
        if self.target is None:
            return {}
        wanted = law.size_for(self.target)
        rows, error = float(wanted.mean), float(wanted.std_error)
        if not math.isfinite(rows):
            return {}
        # a number of rows is positive, and far from the sizes that were measured its error is one of proportion
        low, high = Predicted(np.log(rows), np.array(error / rows)).interval()
        ends = {
            "rows_for_target_low": float(np.exp(low)),
            "rows_for_target_high": float(np.exp(min(float(high), 300.0))),
        }
        return {"rows_for_target": rows, **ends}


def _of_law(law: AggregateLaw) -> dict[str, float]:
    deviations = np.sqrt(np.diag(law.covariance))
    return {
        "floor": law.floor,
        "floor/std_error": float(deviations[0]),
        "c": law.c,
        "alpha": law.alpha,
        "alpha/std_error": float(deviations[2]),
    }


@dataclass(frozen=True, eq=False)
class _Fitting:
    """Valid errors of models fitted to random subsets; can be sent to another process."""

    problem: Problem
    streams: Streams
    utility: str
    samples: int

    def __call__(self, size: int) -> dict[str, Floats]:
        """Errors [samples] of models of `size` rows."""
        target = self.problem.data.train.target
        labels = target.astype(np.int64) if self.problem.data.kind == "classification" else None
        sampler = SubsetSampler(len(target), labels, self.streams, f"curve-{size}")
        errors = [self._error(sampler.subset(number, size)) for number in range(self.samples)]
        return {"errors": np.array(errors)}

    def extrapolation(self, law: AggregateLaw) -> dict[str, float]:
        """The law's error at the size of the train split, and that of the model fitted to all of it."""
        rows = len(self.problem.data.train)
        predicted = law.at(np.array([rows]))
        low, high = predicted.interval()
        return {
            "extrapolation/rows": float(rows),
            "extrapolation/predicted": float(predicted.mean[0]),
            "extrapolation/predicted_low": float(low[0]),
            "extrapolation/predicted_high": float(high[0]),
            "extrapolation/measured": self._error(np.arange(rows)),
        }

    def _error(self, rows: Integers) -> float:
        from assay.learning.learners import Learner
        from assay.learning.models import Shape
        from assay.valuation.utilities import predictor_score

        data = self.problem.data
        learner = Learner(self.problem.model, Shape.of(data))
        rows = np.sort(rows)
        with threadpool_limits(1):  # sums of several threads are rounded in another order
            predictor = learner.fit(data.train.features[rows], data.train.target[rows], seed=0)
            score = predictor_score(predictor, data.valid, data.kind, self.utility)
        return 1 - score if self.utility == "accuracy" else -score
