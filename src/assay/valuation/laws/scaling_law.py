"""Values of all train rows from their scaling laws."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from assay.config.limits import at_least
from assay.errors import InputError
from assay.learning.models import Shape
from assay.privacy.releases import Releases
from assay.runs.streams import Streams
from assay.valuation.contributions.samples import Contributions, stacked
from assay.valuation.contributions.setting import ScalingUtility, Setting, labelled, setting_of
from assay.valuation.contributions.solver import Level
from assay.valuation.contributions.subsets import Cardinalities, Density
from assay.valuation.laws.estimators import ESTIMATORS, EstimatorName, fit_laws
from assay.valuation.laws.laws import Laws
from assay.valuation.valuator import Problem, Run, Valuation, refuse_privacy
from assay.valuation.values import Values

if TYPE_CHECKING:
    from assay.config import Choices

Integers = NDArray[np.int64]

LARGEST = 999  # rows of the largest subset where there are as many
ENOUGH = 100  # rows of the smallest subset, however many a model would need


@dataclass(frozen=True, eq=False)
class RowLaws:
    """The laws of all train rows, in their order; how many models were fitted, and how many of them anew."""

    laws: Laws
    sizes: Cardinalities
    fits: int
    fallbacks: int


@dataclass(frozen=True)
class ScalingLaw:
    """Scaling laws of single rows from `evaluations` random subsets each.

    The train rows are divided into `folds`; those of one join subsets of the others, so that no row joins itself. Subsets
    are `shared` by the rows of a fold (one fit serves all) or `fresh`, one for each row and sample, as in the paper's code.
    The value of a row is its distributional Shapley value: the mean contribution over all cardinalities from `smallest` to
    `largest`, which follow from the number of rows where they are null. Never private.
    Cost: where subsets are shared, one fit for each sample and fold, and a step in closed form for each row of the fold.
    Source: 2405.20456; estimators as each says.
    """

    estimator: EstimatorName = "empirical_bayes"
    evaluations: Annotated[int, at_least(2, "a variance needs two")] = 100
    smallest: Annotated[int | None, at_least(1, "null: about a tenth of the largest")] = None
    largest: Annotated[int | None, at_least(1, f"null: {LARGEST}, or as many as there are")] = None
    density: Density = "log_uniform"
    subsets: Literal["shared", "fresh"] = "shared"
    level: Level = "exact"
    utility: ScalingUtility = "negative_loss"
    folds: Annotated[int, at_least(2, "rows of one join subsets of the others")] = 4
    name: str = "scaling_law"

    accounts_for: ClassVar[frozenset[Releases]] = frozenset()
    players: ClassVar[Literal["rows", "sources"]] = "rows"
    good_for: ClassVar[str] = (
        "what a row adds to data sets of many sizes, and choosing rows to add; for wrong labels only where the rows of a subset "
        "are many times the features, or the utility is bounded (softmax_of_probabilities): with the log loss and few rows a "
        "feature, the order can be no better than chance, and gradient_semivalue finds them"
    )

    def check(self, run: Choices) -> None:
        """Raises InputError for sizes, samples, a level or a utility that the model or the dataset cannot serve."""
        self._check_sizes(run)
        self._check_samples()
        self._check_model(run)
        self._check_utility(run)

    @property
    def cardinalities(self) -> Cardinalities:
        """Sizes of random subsets; ValueError for a valuator that is not `sized`."""
        if self.smallest is None or self.largest is None:
            raise ValueError("sizes that are null follow from the number of rows: see sized()")
        return Cardinalities(self.smallest, self.largest, self.density)

    def sized(self, available: int, shape: Shape) -> ScalingLaw:
        """The same for subsets that are drawn from `available` rows; InputError when these are too few.

        Where it is null, the largest is 999 or all that are available, and the smallest a tenth of it, or, up to 100 and
        half of the largest, as many as the model needs to be more than its penalty.
        """
        largest = min(LARGEST, available) if self.largest is None else self.largest
        if largest > available:
            limit = f"subsets are drawn from {available} rows"
            raise InputError("valuation.largest", largest, limit, "lower it, or raise dataset.split.train")
        if self.smallest is not None:
            return replace(self, largest=largest)
        needed = shape.features + 2 if shape.kind == "regression" else 2 * shape.classes
        smallest = min(max(-(-largest // 10), min(needed, ENOUGH)), max(1, largest // 2))
        return replace(self, smallest=smallest, largest=largest)

    def valuate(self, problem: Problem, run: Run) -> Valuation:
        """Distributional Shapley values of the train split; InputError with privacy."""
        fitted, train = self.laws(problem, run), problem.data.train
        predicted = fitted.laws.over(fitted.sizes.smallest, fitted.sizes.largest)
        evaluations = np.full(len(train), self.evaluations)
        values = Values(train.ids, predicted.mean, predicted.std_error, evaluations, predicted.freedom)
        return Valuation(
            values,
            math.inf,
            utility_evaluations=len(train) * self.evaluations,
            model_fits=fitted.fits,
            facts={"refits": float(fitted.fallbacks)},
        )

    def laws(self, problem: Problem, run: Run) -> RowLaws:
        """The law of every train row; InputError with privacy."""
        from assay.valuation.laws.covariates import raw_covariates, standardised

        refuse_privacy(problem)
        data, count = problem.data, len(problem.data.train)
        sizes = self.sized(count - self._largest_fold(count), Shape.of(data)).cardinalities
        rows: list[Integers] = []
        samples: list[Contributions] = []
        covariates = []
        for number, fold in enumerate(self._folds(count, run.streams)):
            pool = np.setdiff1d(np.arange(count), fold)
            setting = setting_of(data, fold, pool, problem.model, self.utility)
            samples.append(self._samples(setting, sizes, number, run))
            covariates.append(raw_covariates(setting))
            rows.append(fold)
        back = np.concatenate(rows).argsort()
        every, known = stacked(samples).of_points(back), standardised(np.concatenate(covariates)[back])
        whole = replace(setting, points=labelled(data.train))
        laws = fit_laws(self.estimator, whole, every, known, run.streams.generator("law"), run.trainer)
        return RowLaws(laws, sizes, every.fits, every.fallbacks)

    def _samples(self, setting: Setting, sizes: Cardinalities, fold: int, run: Run) -> Contributions:
        from assay.valuation.contributions.sampling import Sampling

        sampling = Sampling(setting, run.streams, run.parts)
        shared = self.subsets == "shared"
        samples = sampling.samples(f"fold-{fold}", sizes, self.evaluations, self.level, shared=shared)
        run.advance(max(1, self.evaluations // self.folds))
        return samples

    def _largest_fold(self, rows: int) -> int:
        return -(-rows // self.folds)

    def _folds(self, rows: int, streams: Streams) -> Iterator[Integers]:
        order = streams.generator("folds").permutation(rows)
        return (np.sort(order[number :: self.folds]) for number in range(self.folds))

    def _check_sizes(self, run: Choices) -> None:
        if self.smallest is not None and self.smallest > (self.largest or LARGEST):
            limit = f"must be at most valuation.largest={self.largest or LARGEST}"
            raise InputError("valuation.smallest", self.smallest, limit, "e.g. smallest=100 and largest=999")
        train = run.dataset.split.train
        if train >= 1 and self.largest is not None and self.largest >= train:
            limit = f"subsets are drawn from some of dataset.split.train={train:g} rows"
            raise InputError("valuation.largest", self.largest, limit, "lower it, or leave it null")

    def _check_samples(self) -> None:
        least = ESTIMATORS[self.estimator].least_samples
        if self.evaluations < least:
            limit = f"valuation.estimator={self.estimator} needs {least} or more"
            raise InputError("valuation.evaluations", self.evaluations, limit, "raise it")

    def _check_model(self, run: Choices) -> None:
        model = run.model
        if not model.fitted_whole:
            limit = f"is trained by gradients and valuation={self.name} refits models whole"
            raise InputError("model", model.name, limit, "use model=auto or mlp_adam")
        if self.level == "cheap" and not model.closed_form:
            limit = f"is a step in closed form and model={model.name} has none"
            raise InputError("valuation.level", self.level, limit, "use valuation.level=exact")

    def _check_utility(self, run: Choices) -> None:
        dataset, key = run.dataset, "valuation.utility"
        if self.level == "cheap" and self.utility == "accuracy":
            limit = "is expanded to second order at valuation.level=cheap, and accuracy is a step"
            raise InputError(key, self.utility, limit, "use valuation.level=exact")
        if self.utility == "population_risk":
            known = dataset.kind == "regression" and hasattr(dataset, "synthetic")
            if not known or not run.model.closed_form:
                limit = "is the excess squared error of a line over a population, which must be known"
                remedy = "use dataset=synthetic_regression and model=linear, or valuation.utility=negative_loss"
                raise InputError(key, self.utility, limit, remedy)
        elif self.utility != "negative_loss" and dataset.kind == "regression":
            limit = f"needs classes and dataset={dataset.name} is a regression dataset"
            raise InputError(key, self.utility, limit, "use valuation.utility=negative_loss")
