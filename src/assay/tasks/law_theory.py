"""Does least squares follow the law that theory gives it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np

from assay.config.limits import at_least
from assay.config.typed import shown
from assay.errors import InputError
from assay.learning.models import Shape
from assay.runs import Headline, Outcome
from assay.statistics import spearman
from assay.tasks.fields import AtLeastTwo
from assay.tasks.needs import check_laws
from assay.tasks.scaling import grid_of
from assay.valuation.laws.scaling_law import ENOUGH, LARGEST

if TYPE_CHECKING:
    from assay.config.choices import Choices
    from assay.tasks.scaling import LawValuator
    from assay.valuation.valuator import Problem, Run

HARMFUL = 2**0.5  # residuals, in standard deviations of the noise, beyond which a row is harmful in the limit


@dataclass(frozen=True)
class LawTheory:
    """Compares fitted laws of least squares with alpha = 2 and c = x' Sigma^-1 x (2 s^2 - e^2).

    `points` train rows of a data set of known population join `samples` fresh designs at each of `cardinalities` sizes; a
    model is judged by its excess risk over the population, since a fixed set of valid rows has a term in 1/k of its own.
    Source: 2405.20456, Theorem for linear regression; the constant as derived in `valuation/laws/theory.py`.
    """

    reads_test: ClassVar[bool] = False

    points: AtLeastTwo = 200
    cardinalities: Annotated[int, at_least(3, "a line needs more than two places")] = 10
    samples: AtLeastTwo = 500
    name: str = "law_theory"

    def check(self, run: Choices) -> None:
        """Raises InputError for a valuation without laws, and where theory does not speak of the data or the model."""
        check_laws(run)
        synthetic = getattr(run.dataset, "synthetic", None)
        if synthetic is None or run.dataset.kind != "regression":
            limit = "has no population that theory could speak of"
            raise InputError("dataset", run.dataset.name, limit, "use dataset=synthetic_regression")
        if not (run.model.closed_form and "regression" in run.model.fits):
            raise InputError("model", run.model.name, "task=law_theory is about least squares", "use model=linear")
        if synthetic.noise == 0:
            limit = "theory measures errors in standard deviations of the noise"
            raise InputError("dataset.synthetic.noise", 0, limit, "raise it")
        least = synthetic.dimension + 2
        if (run.valuation.smallest or ENOUGH) < least:
            limit = f"{synthetic.dimension} features have no mean contribution below {least} rows"
            raise InputError("valuation.smallest", shown(run.valuation.smallest), limit, "raise it")

    def answer(self, problem: Problem, valuator: LawValuator, run: Run) -> Outcome:
        """Table `points`; metrics of fitted exponents and of coefficients over theory."""
        import pandas as pd

        from assay.figures.scaling import theory_figure
        from assay.valuation.contributions.setting import labelled
        from assay.valuation.laws.log_linear import LogLinear
        from assay.valuation.laws.theory import exact_contributions, fresh_contributions, law_coefficient

        population, train = problem.data.population, problem.data.train
        if population is None or population.kind != "regression":
            remedy = "use dataset=synthetic_regression, without preprocessing"
            raise InputError("dataset", problem.data.provenance.source, "has no known population of regression", remedy)
        if self.points > len(train):
            raise InputError("task.points", self.points, f"there are {len(train)} train rows", "lower it")
        sizes = grid_of(valuator.sized(LARGEST, Shape.of(problem.data)), self.cardinalities)
        streams = run.streams
        rows = np.sort(streams.generator("points").permutation(len(train))[: self.points])
        points = labelled(train, rows)
        means = fresh_contributions(points, population, sizes, self.samples, streams, exact_over_noise=True)
        exact = exact_contributions(points, population, sizes)
        limit = law_coefficient(points, population)
        laws = LogLinear().fit_means(means)
        fitted = laws.parameters()
        ratio = means.mean[:, -1] * sizes[-1] ** 2 / limit
        residual = np.abs(points.target - points.features @ population.coefficients) / population.noise
        frame = pd.DataFrame(
            {
                "id": train.ids[rows],
                **fitted,
                "log_r2": laws.r_squared,
                "limit": limit,
                "ratio": ratio,
                "residual": residual,
                **{f"psi_{size}": means.mean[:, place] for place, size in enumerate(sizes)},
            }
        )
        low, middle, high = np.quantile(fitted["alpha"], [0.1, 0.5, 0.9])
        metrics = {
            "alpha/q10": float(low),
            "alpha/median": float(middle),
            "alpha/q90": float(high),
            "ratio/median": float(np.median(ratio)),
            "coefficient/spearman": float(spearman(means.mean[:, -1], limit)),
            "sign_agreement": float(((means.mean[:, -1] < 0) == (residual > HARMFUL)).mean()),
            "exact/median_ratio": float(np.median(means.mean / exact)),
            "exact/largest_z": float((np.abs(means.mean - exact) / means.std_error).max()),
            "samples": float(self.samples),
        }
        figures = {"theory": theory_figure(frame, int(sizes[-1]))}
        return Outcome(metrics, {"points": frame}, figures, headline=Headline(metrics=tuple(metrics)))
