"""Values of all train rows from their scaling laws."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from assay.errors import InputError
from assay.privacy.releases import Releases
from assay.valuation.laws.names import LEAST_SAMPLES, fits_law
from assay.valuation.laws.settings import LawSettings

if TYPE_CHECKING:
    from assay.config.choices import Choices
    from assay.valuation.laws.row_laws import RowLaws
    from assay.valuation.valuator import Problem, Run, Valuation


@dataclass(frozen=True)
class ScalingLaw(LawSettings):
    """Scaling laws of single rows from random subsets of the others.

    The value of a row is its distributional Shapley value: the mean contribution over all cardinalities from `smallest` to
    `largest`. Never private. Source: 2405.20456; estimators as each says.
    """

    accounts_for: ClassVar[frozenset[Releases]] = frozenset()
    players: ClassVar[Literal["rows", "sources"]] = "rows"

    name: str = "scaling_law"

    def valuate(self, problem: Problem, run: Run) -> Valuation:
        """Distributional Shapley values of the train split; InputError with privacy."""
        import numpy as np

        from assay.valuation.valuator import Valuation
        from assay.valuation.values import Values

        found, train = self.laws(problem, run), problem.data.train
        predicted = found.laws.over(self.smallest, self.largest)
        evaluations = np.full(len(train), self.evaluations)
        values = Values(train.ids, predicted.mean, predicted.std_error, evaluations, predicted.freedom)
        return Valuation(
            values,
            math.inf,
            utility_evaluations=len(train) * self.evaluations,
            model_fits=found.fits,
            facts={"refits": float(found.fallbacks)},
        )

    def laws(self, problem: Problem, run: Run) -> RowLaws:
        """The law of every train row; finished parts are saved. InputError with privacy."""
        from assay.valuation.laws.row_laws import row_laws

        if problem.privacy.private:
            remedy = "use valuation=gradient_semivalue, or privacy=none"
            limit = "a refit has no bounded sensitivity to add noise to"
            raise InputError("privacy", problem.privacy.name, limit, remedy)
        return row_laws(self, problem, run)

    def check(self, run: Choices) -> None:
        """Raises InputError for sizes, levels, models and utilities that do not go together."""
        if self.smallest > self.largest:
            limit = f"must be at most valuation.largest={self.largest}"
            raise InputError("valuation.smallest", self.smallest, limit, "e.g. 100 and 999")
        if not run.model.fitted_whole:
            limit = "is not among the models that are refitted whole"
            raise InputError("model", run.model.name, limit, "use model=auto, mlp or xgboost")
        if self.level == "cheap" and not run.model.closed_form:
            limit = f"is a closed form and model={run.model.name} has none"
            raise InputError("valuation.level", self.level, limit, "use valuation.level=exact")
        if self.level == "cheap" and self.utility == "accuracy":
            limit = "is expanded to second order at valuation.level=cheap, and accuracy is a step"
            raise InputError("valuation.utility", self.utility, limit, "use valuation.level=exact")
        if fits_law(self.estimator) and self.evaluations < LEAST_SAMPLES:
            remedy = "raise it, or use valuation.estimator=monte_carlo"
            raise InputError("valuation.evaluations", self.evaluations, "a law needs 4 or more", remedy)
        self._check_utility(run)

    def _check_utility(self, run: Choices) -> None:
        dataset = run.dataset
        if self.utility == "population_risk":
            line = run.model.closed_form and "regression" in run.model.fits
            if dataset.kind != "regression" or not hasattr(dataset, "synthetic") or not line:
                limit = "is the excess squared error of a line over a population, which must be known"
                remedy = "use dataset=synthetic_regression and model=linear, or valuation.utility=negative_loss"
                raise InputError("valuation.utility", self.utility, limit, remedy)
        elif dataset.kind == "regression" and self.utility != "negative_loss":
            limit = f"needs classes and dataset={dataset.name} is a regression dataset"
            raise InputError("valuation.utility", self.utility, limit, "use valuation.utility=negative_loss")
