"""Estimators of scaling laws by the names that configs use."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assay.learning.trainer import Trainer
from assay.valuation.contributions.samples import Contributions
from assay.valuation.contributions.setting import Labelled, Setting
from assay.valuation.laws.empirical_bayes import EmpiricalBayes
from assay.valuation.laws.laws import LawEstimator, Laws
from assay.valuation.laws.likelihood import Likelihood
from assay.valuation.laws.monte_carlo import MonteCarlo

# those that read what one fitted model tells of each point
INFORMED = frozenset({"empirical_bayes", "empirical_bayes_power", "empirical_bayes_blend"})


def fit_laws(
    name: str,
    setting: Setting,
    samples: Contributions,
    covariates: NDArray[np.float64],
    generator: np.random.Generator,
    trainer: Trainer,
) -> Laws:
    """The laws of a setting's points by the estimator of that name, which sees `covariates` [n, q] if it is one that does.

    `trainer` says on which device networks are trained.
    """
    estimator = build_estimator(name, setting.points, setting.kind, setting.classes, trainer)
    return estimator.fit(samples, covariates if name in INFORMED else None, generator)


def build_estimator(name: str, points: Labelled, kind: str, classes: int, trainer: Trainer) -> LawEstimator:
    """The estimator of that name for these points; ValueError for a name that no schema admits."""
    if name in ("amortised", "amortised_updated"):
        from assay.valuation.laws.amortised import Amortised

        heads = classes if kind == "classification" else 0
        if name == "amortised":
            return Amortised(points, heads, trainer=trainer)
        return Amortised(points, heads, form="expected_sign", update=True, trainer=trainer)
    plain: dict[str, LawEstimator] = {
        "monte_carlo": MonteCarlo(),
        "likelihood": Likelihood(),
        "likelihood_boxed": Likelihood(box=True),
        "empirical_bayes": EmpiricalBayes(),
        "empirical_bayes_plain": EmpiricalBayes(),
        "empirical_bayes_power": EmpiricalBayes(form="power"),
        "empirical_bayes_blend": EmpiricalBayes(form="blend"),
    }
    if name not in plain:
        raise ValueError(f"estimator={name}: must be one of {', '.join(sorted(plain))}, amortised, amortised_updated")
    return plain[name]
