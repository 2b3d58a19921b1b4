"""How does the error of a model fall with the number of rows, and how many rows reach a wanted error?"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np

from assay.config.limits import Limit, at_least
from assay.errors import InputError
from assay.runs import Outcome
from assay.runs.directory import write_atomically
from assay.tasks.fields import AtLeastTwo
from assay.tasks.headlines import of_summary
from assay.tasks.study import Study
from assay.valuation.contributions.subsets import SubsetSampler
from assay.valuation.laws.laws import Predicted
from assay.valuation.laws.learning_curve import AggregateLaw, fit_aggregate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


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

    def answer(self, study: Study) -> Outcome:
        """Table `summary` (error by size); metrics of the law, of the wanted error and of the extrapolation."""
        import pandas as pd

        from assay.figures.scaling import curve_figure
        from assay.tasks.scaling import grid_of, scaling_valuator

        valuator, rows = scaling_valuator(study, self.name), len(study.data.train)
        if valuator.utility not in ("negative_loss", "accuracy"):
            told = "has no error of a data set to it"
            raise InputError("valuation.utility", valuator.utility, told, "use negative_loss or accuracy")
        sizes = grid_of(valuator, self.cardinalities, least=4)
        if sizes[-1] > rows:
            told = f"{sizes[-1]} rows cannot be drawn from a train split of {rows}"
            raise InputError("valuation.largest", valuator.largest, told, "lower it, or raise dataset.split.train")
        work = _Fitting(study, valuator.utility)
        with study.context.progress.task("fitting models", len(sizes)) as bar:
            errors = []
            for size in sizes:
                errors.append(work.errors(int(size), self.samples))
                bar.advance(1)
        held = np.array(errors)
        mean, std_error = held.mean(axis=1), held.std(axis=1, ddof=1) / self.samples**0.5
        if not (std_error > 0).all():
            told = f"the error is the same for every subset of {sizes[int(np.argmin(std_error))]} rows"
            raise InputError("task.samples", self.samples, told, "raise it or valuation.smallest")
        law = fit_aggregate(sizes, mean, std_error)
        low, high = law.at(sizes).interval()
        columns = {"cardinality": sizes, "error": mean, "std_error": std_error, "fitted": law.at(sizes).mean}
        summary = pd.DataFrame({**columns, "fitted_low": low, "fitted_high": high})
        metrics = {**_of_law(law), **self._of_target(law), **work.extrapolation(law)}
        metrics["model_fits"] = float(held.size + 1)
        headline = of_summary("summary", (), metrics)
        return Outcome(metrics, {"summary": summary}, {"learning_curve": curve_figure(summary, law)}, headline=headline)

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
    """Valid errors of models fitted to random subsets; those of a size are kept until the run is finished."""

    study: Study
    utility: str

    def errors(self, size: int, samples: int) -> Floats:
        """Errors [samples] of models of `size` rows."""
        path = self.study.context.scratch / f"errors-{size}.npy"
        if not path.exists():
            target = self.study.data.train.target
            labels = target.astype(np.int64) if self.study.data.kind == "classification" else None
            sampler = SubsetSampler(len(target), labels, self.study.context.streams, f"curve-{size}")
            buffer = io.BytesIO()
            np.save(buffer, np.array([self._error(sampler.subset(number, size)) for number in range(samples)]))
            write_atomically(path, buffer.getvalue())
        return np.asarray(np.load(path))

    def extrapolation(self, law: AggregateLaw) -> dict[str, float]:
        """The law's error at the size of the train split, and that of the model fitted to all of it."""
        rows = len(self.study.data.train)
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

        data = self.study.data
        learner = Learner(self.study.model, Shape.of(data))
        rows = np.sort(rows)
        predictor = learner.fit(data.train.features[rows], data.train.target[rows], seed=0)
        score = predictor_score(predictor, data.valid, data.kind, self.utility)
        return 1 - score if self.utility == "accuracy" else -score
