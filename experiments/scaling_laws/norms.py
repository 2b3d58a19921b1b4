"""Norms of rows: valid cross-entropy of logistic regression on k random rows, for several norms of the features.

python -m experiments.scaling_laws.norms [magic adult fashion_mnist photo_patches]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np

from assay.data import PreparedData
from assay.errors import AssayError
from assay.learning.learners import Learner
from assay.learning.models import Shape
from assay.learning.models.auto import Auto
from assay.runs import Streams
from assay.valuation.contributions.subsets import SubsetSampler
from assay.valuation.utilities import predictor_utility
from experiments.benchmarks.composed import data_of

NORMS = (1, 2, 4, 8)
SIZES = (100, 300, 1000)
REPEATS = 12
DATA = ("magic", "adult", "fashion_mnist", "photo_patches")


def losses(data: PreparedData, sizes: Sequence[int] = SIZES, repeats: int = REPEATS) -> list[float]:
    """Mean cross-entropy on the valid rows, in nats, of models of each size."""
    learner = Learner(Auto(), Shape.of(data))
    labels = np.asarray(data.train.target, dtype=np.int64)
    sampler = SubsetSampler(len(labels), labels, Streams(0), "norms")
    means = []
    for size in sizes:
        subsets = [sampler.subset(number, size) for number in range(repeats)]
        fits = [learner.fit(data.train.features[rows], data.train.target[rows]) for rows in subsets]
        means.append(float(np.mean([-predictor_utility(fit, data, "negative_loss") for fit in fits])))
    return means


def main(names: Sequence[str]) -> None:
    """Prints a line for each data set and norm."""
    for name in names or DATA:
        experiment = f"experiment=scaling_laws/{'estimators' if name == 'fashion_mnist' else 'law'}_{name}"
        for norm in NORMS:
            try:
                means = losses(data_of(experiment, f"dataset.preprocess.norm={norm}"))
            except AssayError as error:
                print(f"{name}: left out ({error})")
                break
            print(
                f"{name:14s} norm {norm}: "
                + ", ".join(f"{loss:.3f} at k={k}" for k, loss in zip(SIZES, means, strict=True))
            )


if __name__ == "__main__":
    main(sys.argv[1:])
