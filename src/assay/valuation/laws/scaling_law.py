"""Values of all train rows from their scaling laws."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assay.data import PreparedData
from assay.errors import InputError
from assay.learning.models import Model
from assay.runs.streams import Streams
from assay.valuation.contributions.samples import Contributions, stacked
from assay.valuation.contributions.sampling import Sampling
from assay.valuation.contributions.setting import ScalingUtility, Setting, labelled, setting_of
from assay.valuation.contributions.solver import Level
from assay.valuation.contributions.subsets import Cardinalities
from assay.valuation.laws.covariates import raw_covariates, standardised
from assay.valuation.laws.estimators import fit_laws
from assay.valuation.laws.laws import Laws
from assay.valuation.valuator import Problem, Run, Valuation
from assay.valuation.values import Values

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RowLaws:
    """The laws of all train rows, in their order; how many models were fitted, and how many of them anew."""

    laws: Laws
    fits: int
    fallbacks: int


@dataclass(frozen=True)
class ScalingLaw:
    """Scaling laws of single rows from `evaluations` random subsets each.

    The train rows are parted into `folds`; those of one join subsets of the others, so that no row joins itself. Subsets
    are `shared` by the rows of a fold (one fit serves all) or `fresh`, one for each row and sample, as in the paper's code.
    The value of a row is its distributional Shapley value: the mean contribution over all cardinalities from `smallest` to
    `largest`. Never private. Source: 2405.20456; estimators as each says.
    """

    estimator: str = "empirical_bayes"
    evaluations: int = 100
    smallest: int = 100
    largest: int = 999
    density: Literal["uniform", "log_uniform"] = "log_uniform"
    subsets: Literal["shared", "fresh"] = "shared"
    level: Level = "exact"
    utility: ScalingUtility = "negative_loss"
    folds: int = 4
    name: str = "scaling_law"

    @property
    def cardinalities(self) -> Cardinalities:
        """The sizes of random subsets."""
        return Cardinalities(self.smallest, self.largest, self.density)

    def valuate(self, problem: Problem, run: Run) -> Valuation:
        """Distributional Shapley values of the train split; InputError with privacy."""
        found = self.laws(problem, run)
        data = problem.data
        predicted = found.laws.over(self.smallest, self.largest)
        evaluations = np.full(len(data.train), self.evaluations)
        values = Values(data.train.ids, predicted.mean, predicted.std_error, evaluations, predicted.freedom)
        return Valuation(
            values,
            math.inf,
            utility_evaluations=len(data.train) * self.evaluations,
            model_fits=found.fits,
            facts={"refits": float(found.fallbacks)},
        )

    def laws(self, problem: Problem, run: Run) -> RowLaws:
        """The law of every train row; finished parts are kept in the scratch folder. InputError with privacy."""
        data, model, privacy = problem.data, problem.model, problem.privacy
        if privacy.private:
            remedy = "use valuation=gradient_semivalue, or privacy=none"
            raise InputError("privacy", privacy.name, "a refit has no bounded sensitivity to add noise to", remedy)
        rows: list[Integers] = []
        samples: list[Contributions] = []
        covariates = []
        for number, fold in enumerate(self._folds(len(data.train), run.streams)):
            setting = self._setting(data, model, fold)
            samples.append(self._samples(setting, number, run))
            covariates.append(raw_covariates(setting))
            rows.append(fold)
        back = np.concatenate(rows).argsort()
        every, known = stacked(samples).of_points(back), standardised(np.concatenate(covariates)[back])
        whole = replace(setting, points=labelled(data.train))
        laws = fit_laws(self.estimator, whole, every, known, run.streams.generator("law"), run.trainer)
        return RowLaws(laws, every.fits, every.fallbacks)

    def _samples(self, setting: Setting, fold: int, run: Run) -> Contributions:
        sampling = Sampling(setting, run.streams, run.parts.workers, run.parts.folder)
        shared = self.subsets == "shared"
        found = sampling.samples(f"fold-{fold}", self.cardinalities, self.evaluations, self.level, shared=shared)
        run.advance(max(1, self.evaluations // self.folds))
        return found

    def _folds(self, rows: int, streams: Streams) -> Iterator[Integers]:
        most = -(-rows // self.folds)
        if rows - most < self.largest:
            told = f"subsets are drawn from {rows - most} rows, the train split less a fold"
            raise InputError("valuation.largest", self.largest, told, "lower it, or raise dataset.split.train")
        order = streams.generator("folds").permutation(rows)
        return (np.sort(order[number :: self.folds]) for number in range(self.folds))

    def _setting(self, data: PreparedData, model: Model, fold: Integers) -> Setting:
        pool = np.setdiff1d(np.arange(len(data.train)), fold)
        return setting_of(data, fold, pool, model, self.utility)
