"""Semivalues by refitting a learner on growing coalitions of rows (data Shapley)."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.data import PreparedData
from assay.errors import InputError
from assay.learning.learners import Learner
from assay.learning.marginals import MarginalSums
from assay.learning.models import Shape
from assay.runs.directory import write_atomically
from assay.runs.streams import Streams
from assay.valuation.permutations import random_orders
from assay.valuation.semivalues import semivalue_weights
from assay.valuation.utilities import predictor_utility
from assay.valuation.valuator import Problem, Run, Valuation
from assay.valuation.values import Values


@dataclass(frozen=True)
class _Walk:
    """Walks one permutation, refitting after every row; can be sent to another process."""

    learner: Learner
    data: PreparedData
    utility: str
    streams: Streams

    def __call__(self, number: int) -> NDArray[np.float64]:
        """Marginal contributions [n] of round `number` in the order of its permutation."""
        train = self.data.train
        order = random_orders(self.streams, len(train), 1, "values")(number)[0]
        worth = np.empty(len(order) + 1)
        for size in range(len(order) + 1):
            rows = order[:size]
            predictor = self.learner.fit(train.features[rows], train.target[rows], seed=0)
            worth[size] = predictor_utility(predictor, self.data, self.utility)
        return np.diff(worth)


@dataclass(frozen=True)
class Semivalue:
    """Semivalues from `evaluations` permutations, each with one fit for every row that joins.

    Unbiased for any learner, trees included; never private, since a refit has no bounded sensitivity.
    Source: Ghorbani & Zou 2019 (Algorithm 1 without truncation); weights of Kwon & Zou 2022, Wang & Jia 2023.
    """

    semivalue: str = "shapley"
    alpha: float = 1.0
    beta: float = 1.0
    evaluations: int = 20
    utility: str = "negative_loss"
    name: str = "semivalue"

    def valuate(self, problem: Problem, run: Run) -> Valuation:
        """Values of the train split; finished permutations are kept in the scratch folder. Raises InputError with privacy."""
        data, model, privacy = problem.data, problem.model, problem.privacy
        if privacy.private:
            remedy = "use valuation=gradient_semivalue, or privacy=none"
            raise InputError("privacy", privacy.name, "a refit has no bounded sensitivity to add noise to", remedy)
        rows = len(data.train)
        learner = Learner(model, Shape.of(data))
        model.resolved(data.kind, data.modality)
        walk = _Walk(learner, data, self.utility, run.streams)
        sums = MarginalSums(rows, weights=semivalue_weights(self.semivalue, rows, self.alpha, self.beta))
        orders = random_orders(run.streams, rows, 1, "values")
        for number, marginals in enumerate(self._walks(walk, run), start=1):
            sums.add(number, orders(number), marginals[None])
            run.advance(1)
        fits = self.evaluations * (rows + 1)
        values = Values(
            data.train.ids, sums.values()[0], sums.std_errors()[0], sums.evaluations[0], self.evaluations - 1
        )
        return Valuation(values, math.inf, utility_evaluations=fits, model_fits=fits)

    def _walks(self, walk: _Walk, run: Run) -> Iterator[NDArray[np.float64]]:
        """Every permutation's marginals in order, from its file where an interrupted run had walked it."""
        numbers = range(1, self.evaluations + 1)
        kept = _kept(run.parts.folder)
        missing = [number for number in numbers if number not in kept]
        if run.parts.workers > 1:
            from joblib import Parallel, delayed

            fresh = iter(Parallel(run.parts.workers, return_as="generator")(delayed(walk)(n) for n in missing))
        else:
            fresh = (walk(number) for number in missing)
        for number in numbers:
            if number not in kept:
                marginals = next(fresh)
                if run.parts.folder is not None:
                    _keep(run.parts.folder, number, marginals)
            else:
                marginals = kept[number]
            yield marginals


def _keep(scratch: Path, number: int, marginals: NDArray[np.float64]) -> None:
    buffer = io.BytesIO()
    np.save(buffer, marginals)
    write_atomically(scratch / f"walk-{number}.npy", buffer.getvalue())


def _kept(scratch: Path | None) -> dict[int, NDArray[np.float64]]:
    files = sorted(scratch.glob("walk-*.npy")) if scratch is not None else []
    return {int(path.stem.split("-")[1]): np.load(path) for path in files}
