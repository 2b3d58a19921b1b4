"""Semivalues by refitting a learner on growing coalitions of rows (data Shapley)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from assay.config.limits import above, at_least
from assay.errors import InputError
from assay.privacy.releases import Releases

if TYPE_CHECKING:
    from assay.config.choices import Choices
    from assay.valuation.valuator import Problem, Run, Valuation


@dataclass(frozen=True)
class Semivalue:
    """Semivalues from `evaluations` permutations, each with one fit for every row that joins.

    Unbiased for any learner, trees included; never private, since a refit has no bounded sensitivity.
    Source: Ghorbani & Zou 2019 (Algorithm 1 without truncation); weights of Kwon & Zou 2022, Wang & Jia 2023.
    """

    accounts_for: ClassVar[frozenset[Releases]] = frozenset()
    players: ClassVar[Literal["rows", "sources"]] = "rows"

    semivalue: Literal["shapley", "beta", "banzhaf"] = "shapley"
    alpha: Annotated[float, above(0, "a parameter of Beta Shapley")] = 1.0
    beta: Annotated[float, above(0, "a parameter of Beta Shapley")] = 1.0
    evaluations: Annotated[int, at_least(1, "a row needs one evaluation at the least")] = 20
    utility: Literal["negative_loss", "accuracy"] = "negative_loss"
    name: str = "semivalue"

    def valuate(self, problem: Problem, run: Run) -> Valuation:
        """Values of the train split; finished permutations are saved one by one. Raises InputError with privacy."""
        from assay.learning.learners import Learner
        from assay.learning.marginals import MarginalSums
        from assay.learning.models import Shape
        from assay.valuation.library.refits import Walk
        from assay.valuation.permutations import random_orders
        from assay.valuation.semivalues import semivalue_weights
        from assay.valuation.valuator import Valuation
        from assay.valuation.values import Values

        data, model = problem.data, problem.model
        if problem.privacy.private:
            remedy = "use valuation=gradient_semivalue, or privacy=none"
            limit = "a refit has no bounded sensitivity to add noise to"
            raise InputError("privacy", problem.privacy.name, limit, remedy)
        rows, learner = len(data.train), Learner(model, Shape.of(data))
        model.resolved(data.kind, data.modality)
        walk = Walk(learner, data, self.utility, run.streams)
        sums = MarginalSums(rows, weights=semivalue_weights(self.semivalue, rows, self.alpha, self.beta))
        orders = random_orders(run.streams, rows, 1, "values")
        numbers = range(1, self.evaluations + 1)
        for number, part in zip(numbers, run.parts.map("walks", walk, numbers, advance=run.advance), strict=True):
            sums.add(number, orders(number), part["marginals"][None])
        fits, spread = self.evaluations * (rows + 1), sums.std_errors()[0]
        values = Values(data.train.ids, sums.values()[0], spread, sums.evaluations[0], self.evaluations - 1)
        return Valuation(values, math.inf, utility_evaluations=fits, model_fits=fits)

    def check(self, run: Choices) -> None:
        """Raises InputError for a model that is not fitted whole, and a utility that the target lacks."""
        if not run.model.fitted_whole:
            limit = f"is trained by gradients and valuation={self.name} refits models whole"
            raise InputError("model", run.model.name, limit, "use valuation=gradient_semivalue, or model=mlp")
        if self.utility == "accuracy" and run.dataset.kind == "regression":
            limit = f"counts right classes and dataset={run.dataset.name} is a regression dataset"
            raise InputError("valuation.utility", self.utility, limit, "use valuation.utility=negative_loss")
