"""Wrong labels by scaling-law values: how well low values find them, by the rows k that a row joins and the utility.

python -m experiments.scaling_laws.wrong_labels
"""

from __future__ import annotations

import numpy as np

from assay.config.compose import compose
from assay.data import PreparedData
from assay.experiment import prepared
from assay.learning.learners import Learner
from assay.learning.models import Shape
from assay.learning.models.auto import Auto
from assay.learning.trainer import Trainer
from assay.privacy.rows.none import NoPrivacy
from assay.runs import Streams
from assay.statistics import detection_auc
from assay.valuation.contributions.setting import ScalingUtility
from assay.valuation.gradient.semivalue import GradientSemivalue
from assay.valuation.laws.scaling_law import ScalingLaw
from assay.valuation.valuator import Problem, Run

SEEDS, WRONG, SIZES = 4, (0.07, 0.3), "{train: 300, valid: 100, test: 50}"
UTILITIES: tuple[ScalingUtility, ...] = ("negative_loss", "softmax_of_probabilities", "accuracy")


def best_temperature(data: PreparedData, rows: int, seed: int) -> float:
    """Factor on the log odds of a model of so many rows that serves the valid rows best; below 1 it is too sure of itself."""
    chosen = Streams(seed).generator("rows").permutation(len(data.train))[:rows]
    learner = Learner(Auto(), Shape.of(data))
    probability = learner.fit(data.train.features[chosen], data.train.target[chosen], seed=0).predict(
        data.valid.features
    )
    odds = np.log(probability[:, 1].clip(1e-12, 1)) - np.log(probability[:, 0].clip(1e-12, 1))
    factors = np.geomspace(0.02, 5, 100)
    losses = np.logaddexp(0, -factors[:, None] * odds * (2 * data.valid.target - 1)).mean(axis=1)
    return float(factors[losses.argmin()])


def main() -> None:
    """Prints a line for each share of wrong labels, number of features and k: means over seeds."""
    print("| wrong labels | features | k | " + " | ".join(UTILITIES) + " | gradient_semivalue | best temperature |")
    print("|---|---|---|---|---|---|---|---|")
    for wrong in WRONG:
        for shape in ([], ["dataset.preprocess.components=10", "dataset.preprocess.norm=1.0"]):
            scored: dict[int, list[list[float]]] = {}
            for seed in range(SEEDS):
                drawn = [f"dataset.corruption.labels={wrong}", f"dataset.split={SIZES}", f"seed={seed}"]
                data = prepared(compose(["dataset=adult", *drawn, *shape]))
                problem, run = Problem(data, Auto(), NoPrivacy()), Run(Streams(seed), Trainer())
                laws = [ScalingLaw(evaluations=60, utility=utility).laws(problem, run) for utility in UTILITIES]
                descent = GradientSemivalue(evaluations=20).valuate(problem, run).values.value
                for k in (laws[0].sizes.smallest, laws[0].sizes.largest):
                    values = [fitted.laws.over(k, k).mean for fitted in laws]
                    aucs = [float(detection_auc(each, data.train.clean)) for each in (*values, descent)]
                    scored.setdefault(k, []).append([*aucs, best_temperature(data, k, seed)])
            for k, scores in scored.items():
                columns = np.array(scores)
                cells = [f"{part.mean():.2f} ({part.min():.2f} to {part.max():.2f})" for part in columns.T]
                print(f"| {wrong:.0%} | {data.train.features.shape[1]} | {k} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
