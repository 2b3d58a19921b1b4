"""Laws of all train rows: those of a fold join random subsets of the other folds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from assay.errors import InputError
from assay.valuation.contributions.samples import Contributions, stacked
from assay.valuation.contributions.sampling import Sampling
from assay.valuation.contributions.setting import Setting, labelled, setting_of
from assay.valuation.laws.covariates import raw_covariates, standardised
from assay.valuation.laws.estimators import fit_laws
from assay.valuation.laws.laws import Laws

if TYPE_CHECKING:
    from assay.arrays import Integers
    from assay.runs.streams import Streams
    from assay.valuation.laws.settings import LawSettings
    from assay.valuation.valuator import Problem, Run


@dataclass(frozen=True, eq=False)
class RowLaws:
    """The laws of all train rows, in their order, with the number of fitted models and of those fitted anew."""

    laws: Laws
    fits: int
    fallbacks: int


def row_laws(choice: LawSettings, problem: Problem, run: Run) -> RowLaws:
    """The law of every train row; finished parts are saved."""
    train = problem.data.train
    rows: list[Integers] = []
    samples: list[Contributions] = []
    covariates = []
    for number, fold in enumerate(_folds(choice, len(train), run.streams)):
        pool = np.setdiff1d(np.arange(len(train)), fold)
        setting = setting_of(problem.data, fold, pool, problem.model, choice.utility)
        samples.append(_samples(choice, setting, number, run))
        covariates.append(raw_covariates(setting))
        rows.append(fold)
    back = np.concatenate(rows).argsort()
    every, known = stacked(samples).of_points(back), standardised(np.concatenate(covariates)[back])
    whole = replace(setting, points=labelled(train))
    laws = fit_laws(choice.estimator, whole, every, known, run.streams.generator("law"), run.trainer)
    return RowLaws(laws, every.fits, every.fallbacks)


def _samples(choice: LawSettings, setting: Setting, fold: int, run: Run) -> Contributions:
    sampling = Sampling(setting, run.streams, run.parts.workers, run.parts.folder)
    shared = choice.subsets == "shared"
    samples = sampling.samples(f"fold-{fold}", choice.cardinalities, choice.evaluations, choice.level, shared=shared)
    run.advance(max(1, choice.evaluations // choice.folds))
    return samples


def _folds(choice: LawSettings, rows: int, streams: Streams) -> Iterator[Integers]:
    most = -(-rows // choice.folds)
    if rows - most < choice.largest:
        limit = f"subsets are drawn from {rows - most} rows, the train split less a fold"
        raise InputError("valuation.largest", choice.largest, limit, "lower it, or raise dataset.split.train")
    order = streams.generator("folds").permutation(rows)
    return (np.sort(order[number :: choice.folds]) for number in range(choice.folds))
