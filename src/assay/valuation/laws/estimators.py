"""Estimators of scaling laws by the names that configs use; each is imported only to be built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from assay.learning.trainer import Trainer
    from assay.valuation.contributions.samples import Contributions
    from assay.valuation.contributions.setting import Setting
    from assay.valuation.laws.laws import LawEstimator, Laws


@dataclass(frozen=True)
class Entry:
    """An estimator: how it is built, and its needs.

    `least_samples` of a point; `informed`: it reads covariates; `extrapolates`: it says something of sizes that were not
    sampled.
    """

    build: Callable[[Setting, Trainer], LawEstimator]
    least_samples: int = 4  # a law has four parameters
    informed: bool = False
    extrapolates: bool = True


def _monte_carlo(setting: Setting, trainer: Trainer) -> LawEstimator:
    from assay.valuation.laws.monte_carlo import MonteCarlo

    return MonteCarlo()


def _likelihood(**choices: Any) -> Callable[[Setting, Trainer], LawEstimator]:
    def build(setting: Setting, trainer: Trainer) -> LawEstimator:
        from assay.valuation.laws.likelihood import Likelihood

        return Likelihood(**choices)

    return build


def _empirical_bayes(**choices: Any) -> Callable[[Setting, Trainer], LawEstimator]:
    def build(setting: Setting, trainer: Trainer) -> LawEstimator:
        from assay.valuation.laws.empirical_bayes import EmpiricalBayes

        return EmpiricalBayes(**choices)

    return build


def _amortised(**choices: Any) -> Callable[[Setting, Trainer], LawEstimator]:
    def build(setting: Setting, trainer: Trainer) -> LawEstimator:
        from assay.valuation.laws.amortised import Amortised

        return Amortised(setting.points, setting.classes, trainer=trainer, **choices)

    return build


ESTIMATORS: Mapping[str, Entry] = {
    "monte_carlo": Entry(_monte_carlo, least_samples=1, extrapolates=False),
    "likelihood": Entry(_likelihood()),
    "likelihood_boxed": Entry(_likelihood(box=True)),
    "amortised": Entry(_amortised()),
    "empirical_bayes": Entry(_empirical_bayes(), informed=True),
    "empirical_bayes_plain": Entry(_empirical_bayes()),
    "empirical_bayes_power": Entry(_empirical_bayes(form="power"), informed=True),
    "empirical_bayes_blend": Entry(_empirical_bayes(form="blend"), informed=True),
    "amortised_updated": Entry(_amortised(form="expected_sign", update=True)),
}

if TYPE_CHECKING:
    EstimatorName = str
else:
    EstimatorName = Literal[tuple(ESTIMATORS)]


def fit_laws(
    name: EstimatorName,
    setting: Setting,
    samples: Contributions,
    covariates: NDArray[np.float64],
    generator: np.random.Generator,
    trainer: Trainer,
) -> Laws:
    """The laws of a setting's points by the estimator of that name, which sees `covariates` [n, q] if it is informed.

    `trainer` says on which device networks are trained.
    """
    entry = ESTIMATORS[name]
    estimator = entry.build(setting, trainer)
    return estimator.fit(samples, covariates if entry.informed else None, generator)
