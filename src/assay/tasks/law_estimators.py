"""Estimators of scaling laws, compared by the number of samples that they need."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from assay.config.limits import at_least, not_empty
from assay.errors import InputError
from assay.runs import Outcome
from assay.tasks.fields import AtLeastTwo, Corrected
from assay.tasks.headlines import of_summary
from assay.tasks.needs import check_laws
from assay.tasks.scaling import grid_of, sampling_of, setting_at, sized_for, split_points
from assay.valuation.contributions.subsets import Density
from assay.valuation.laws.estimators import ESTIMATORS, EstimatorName

if TYPE_CHECKING:
    from assay.arrays import Integers
    from assay.config.choices import Choices
    from assay.runs import Streams
    from assay.tasks.scaling import LawValuator
    from assay.valuation.valuator import Problem, Run

LEVEL = 0.9  # of the intervals whose coverage is counted


@dataclass(frozen=True)
class LawEstimators:
    """Scores `estimators` at every number of `samples` of a point against means over `reference` independent subsets.

    Samples come from a bank of `bank` subsets of random size, of which each point has its own choice; a bank for each of
    `densities`. Estimators are scored across points: R^2, Pearson and Spearman correlation of the predicted psi_k at every
    cardinality and of the distributional Shapley value, and how often 90 % intervals cover. `corrected` as in
    task=scaling_law. `model_fits` leaves out those of the Shapley truth. Source: 2405.20456, accuracy of estimators.
    """

    reads_test: ClassVar[bool] = False

    estimators: Annotated[tuple[EstimatorName, ...], not_empty("e.g. [monte_carlo,empirical_bayes]")] = (
        "monte_carlo",
        "likelihood",
        "likelihood_boxed",
        "empirical_bayes_plain",
        "empirical_bayes",
    )
    samples: Annotated[tuple[AtLeastTwo, ...], not_empty("e.g. [10,20,50]")] = (10, 20, 50)
    densities: Annotated[tuple[Density, ...], not_empty("e.g. [uniform]")] = ("uniform", "log_uniform")
    points: AtLeastTwo = 300
    bank: AtLeastTwo = 800
    cardinalities: Annotated[int, at_least(3, "a law needs more than two places")] = 10
    reference: AtLeastTwo = 500
    corrected: Corrected = 0.1
    name: str = "law_estimators"

    def check(self, run: Choices) -> None:
        """Raises InputError for a valuation without laws, and numbers of samples that estimators or the bank do not have."""
        check_laws(run)
        fewest, most = min(self.samples), max(self.samples)
        for name in self.estimators:
            least = ESTIMATORS[name].least_samples
            if fewest < least:
                raise InputError("task.samples", fewest, f"{name} needs {least} or more", "raise it, or leave that out")
        if most > self.bank:
            limit = f"must be at most task.bank={self.bank}, since a point has each subset once"
            raise InputError("task.samples", most, limit, "raise task.bank")

    def answer(self, problem: Problem, valuator: LawValuator, run: Run) -> Outcome:
        """Tables `summary` (of Shapley values) and `scores` (of all quantities); metrics `<density>/<estimator>/<m>/...`."""
        import pandas as pd

        from assay.figures.estimators import estimator_figure
        from assay.tasks.law_scores import Truth, score_laws
        from assay.valuation.laws.covariates import covariates_of
        from assay.valuation.laws.estimators import fit_laws

        valuator = sized_for(valuator, problem.data, self.points)
        sizes = grid_of(valuator, self.cardinalities)
        points, pool = split_points(problem.data, run.streams, self.points, int(sizes.max()))
        setting = setting_at(problem, valuator, points, pool)
        subsets = self.reference * (len(sizes) + 4) + self.bank * len(self.densities)
        all_scores: dict[str, dict[str, dict[str, float]]] = {}
        rows: list[dict[str, Any]] = []
        with run.showing("sampling contributions", subsets) as shown:
            sampling = sampling_of(setting, shown)
            uniform = replace(valuator.cardinalities, density="uniform")
            truth = Truth(
                sampling.means("truth", sizes.tolist(), self.reference, self.corrected, valuator.level),
                sampling.shapley("truth-shapley", uniform, 4 * self.reference, self.corrected, valuator.level),
                uniform.smallest,
                uniform.largest,
            )
            banks = {
                density: sampling.samples(
                    f"bank-{density}", replace(uniform, density=density), self.bank, valuator.level
                )
                for density in self.densities
            }
        covariates = covariates_of(setting)
        streams = run.streams
        for density, bank in banks.items():
            columns = own_columns(self.points, self.bank, max(self.samples), streams, density)
            for count in self.samples:
                chosen = bank.chosen(columns[:, :count])
                for name in self.estimators:
                    generator = streams.generator("law", name, density, count)
                    laws = fit_laws(name, setting, chosen, covariates, generator, run.trainer)
                    scores = score_laws(laws, truth, LEVEL)
                    key = f"{density}/{name}/{count}"
                    all_scores[key] = scores
                    rows += _rows(density, name, count, scores)
        table = pd.DataFrame(rows)
        shapley = table[table["quantity"] == "shapley"].drop(columns="quantity").reset_index(drop=True)
        metrics = {
            f"{key}/{quantity}/{name}": value
            for key, scores in all_scores.items()
            for quantity, row in scores.items()
            for name, value in row.items()
            if math.isfinite(value)
        }
        metrics |= {f"truth/{name}": value for name, value in truth.reliability().items()}
        metrics |= _comparisons(all_scores, self.densities, self.estimators, self.samples)
        metrics["model_fits"] = float(truth.means.fits + sum(bank.fits for bank in banks.values()))
        metrics["refits"] = float(truth.means.fallbacks + sum(bank.fallbacks for bank in banks.values()))
        return Outcome(
            metrics,
            {"summary": shapley, "scores": table},
            {"estimators": estimator_figure(table)},
            headline=of_summary(shapley, (), metrics),
        )


def own_columns(points: int, bank: int, samples: int, streams: Streams, density: str) -> Integers:
    """For each point, which subsets of the bank are its samples: [points, samples], without repeats."""
    generator = streams.generator("own samples", density)
    return np.asarray(generator.random((points, bank)).argsort(axis=1, kind="stable")[:, :samples])


def _rows(density: str, name: str, count: int, scores: dict[str, dict[str, float]]) -> list[dict[str, Any]]:
    """One line for each quantity: psi at each cardinality, and the distributional Shapley value."""
    label = {"density": density, "estimator": name, "samples": count}
    return [{**label, "quantity": quantity, **row} for quantity, row in scores.items()]


def _comparisons(
    all_scores: dict[str, dict[str, dict[str, float]]],
    densities: Sequence[str],
    estimators: Sequence[str],
    samples: Sequence[int],
) -> dict[str, float]:
    """Gains of the first estimator of ours over each other one, in R^2 of the distributional Shapley value."""
    if "empirical_bayes" not in estimators:
        return {}
    gains = {}
    for density in densities:
        for count in samples:
            ours = all_scores[f"{density}/empirical_bayes/{count}"]["shapley"]["r2"]
            for other in estimators:
                if other != "empirical_bayes":
                    theirs = all_scores[f"{density}/{other}/{count}"]["shapley"]["r2"]
                    gains[f"{density}/{count}/gain_over_{other}"] = ours - theirs
    return gains
