"""Semivalues by refitting a learner on growing coalitions of rows (data Shapley)."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np

from assay.config.limits import above, at_least
from assay.data import PreparedData
from assay.errors import InputError
from assay.learning.learners import Learner
from assay.learning.marginals import MarginalSums
from assay.learning.models import Shape
from assay.privacy.releases import Releases
from assay.runs.streams import Streams
from assay.valuation.permutations import random_orders
from assay.valuation.semivalues import semivalue_weights
from assay.valuation.utilities import predictor_utility
from assay.valuation.valuator import Problem, Run, Valuation, refuse_privacy
from assay.valuation.values import Values

if TYPE_CHECKING:
    from assay.config import Choices

MANY_FITS, PROBES = 2000, 3  # from so many fits on, some are made beforehand to say how long all take


@dataclass(frozen=True)
class _Walk:
    """Walks one permutation, refitting after every row; can be sent to another process."""

    learner: Learner
    data: PreparedData
    utility: str
    streams: Streams

    def __call__(self, number: int) -> dict[str, Any]:
        """Marginal contributions [n] of round `number` in the order of its permutation."""
        train = self.data.train
        order = random_orders(self.streams, len(train), 1, "values")(number)[0]
        worth = np.empty(len(order) + 1)
        for size in range(len(order) + 1):
            rows = order[:size]
            predictor = self.learner.fit(train.features[rows], train.target[rows], seed=0)
            worth[size] = predictor_utility(predictor, self.data, self.utility)
        return {"marginals": np.diff(worth)}

    def seconds_of_a_fit(self) -> float:
        """Measured seconds of a fit on half of the rows, the mean size of a coalition; the least of PROBES."""
        train = self.data.train
        half = slice(0, max(1, len(train) // 2))
        seconds = []
        for _ in range(PROBES):
            start = time.perf_counter()
            predictor = self.learner.fit(train.features[half], train.target[half], seed=0)
            predictor_utility(predictor, self.data, self.utility)
            seconds.append(time.perf_counter() - start)
        return min(seconds)


@dataclass(frozen=True)
class Semivalue:
    """Semivalues from `evaluations` permutations, each with one fit for every row that joins.

    Unbiased for any learner, trees included; never private, since a refit has no bounded sensitivity.
    Cost: `evaluations` times as many fits as there are rows; minutes from some hundred rows on.
    Source: Ghorbani & Zou 2019 (Algorithm 1 without truncation); weights of Kwon & Zou 2022, Wang & Jia 2023.
    """

    semivalue: Literal["shapley", "beta", "banzhaf"] = "shapley"
    alpha: Annotated[float, above(0, "a parameter of Beta Shapley")] = 1.0
    beta: Annotated[float, above(0, "a parameter of Beta Shapley")] = 1.0
    evaluations: Annotated[int, at_least(1, "a row needs one evaluation at the least")] = 20
    utility: Literal["negative_loss", "accuracy"] = "negative_loss"
    name: str = "semivalue"

    accounts_for: ClassVar[frozenset[Releases]] = frozenset()
    players: ClassVar[Literal["rows", "sources"]] = "rows"
    good_for: ClassVar[str] = (
        "ranking the rows of one table for any learner; low values are where to look for wrong labels first, and a single "
        "low value proves nothing"
    )

    def check(self, run: Choices) -> None:
        """Raises InputError for a model that is not fitted whole, and for the accuracy of a regression."""
        if not run.model.fitted_whole:
            limit = f"is trained by gradients and valuation={self.name} refits models whole"
            raise InputError("model", run.model.name, limit, "use model=auto or mlp, or valuation=gradient_semivalue")
        if self.utility == "accuracy" and run.dataset.kind == "regression":
            limit = f"counts right classes and dataset={run.dataset.name} is a regression dataset"
            raise InputError("valuation.utility", self.utility, limit, "use valuation.utility=negative_loss")

    def valuate(self, problem: Problem, run: Run) -> Valuation:
        """Values of the train split; InputError with privacy."""
        refuse_privacy(problem)
        data, rows = problem.data, len(problem.data.train)
        walk = _Walk(Learner(problem.model, Shape.of(data)), data, self.utility, run.streams)
        sums = MarginalSums(rows, weights=semivalue_weights(self.semivalue, rows, self.alpha, self.beta))
        orders = random_orders(run.streams, rows, 1, "values")
        fits = self.evaluations * (rows + 1)
        if fits >= MANY_FITS:
            run.progress.expect("semivalues by refits", walk.seconds_of_a_fit() * fits / run.parts.workers)
            fits += PROBES
        walks = run.parts.map("walks", walk, range(1, self.evaluations + 1), advance=run.advance)
        for number, result in enumerate(walks, start=1):
            sums.add(number, orders(number), result["marginals"][None])
        values = Values(
            data.train.ids, sums.values()[0], sums.std_errors()[0], sums.evaluations[0], self.evaluations - 1
        )
        return Valuation(values, math.inf, utility_evaluations=fits, model_fits=fits)
