"""Standard errors of one private run against the spread over repeated runs: bootstrap over true, by setting."""

from __future__ import annotations

import numpy as np

from assay.config.compose import compose
from assay.experiment import prepared
from assay.learning.models.auto import Auto
from assay.learning.trainer import Trainer
from assay.privacy.rows.running_mean import RunningMean
from assay.privacy.rows.running_mean_burn_in import RunningMeanBurnIn
from assay.runs import Streams
from assay.valuation.gradient.semivalue import GradientSemivalue
from assay.valuation.valuator import Problem, Run

RUNS, REPEATED, TRAINER, MODEL = 8, 60, Trainer(), Auto()
SETTINGS = (("diabetes", 0.05), ("breast_cancer", 0.5))


def main() -> None:
    """Prints root-mean-square standard error over true spread, the mean of RUNS single runs."""
    print("dataset,epsilon,mechanism,ratio")
    for name, rate in SETTINGS:
        split = "dataset.split={train: 100, valid: 171, test: 171}"
        shape = ["dataset.preprocess.components=5", "dataset.preprocess.norm=1.0", "dataset.corruption.labels=0.3"]
        data = prepared(compose([f"dataset={name}", split, *shape]))
        for epsilon in (1.0, 4.0, 8.0, 50.0):
            for privacy in (RunningMean(epsilon=epsilon), RunningMeanBurnIn(epsilon=epsilon, burn_in=0.3)):
                valuator = GradientSemivalue(evaluations=20, learning_rate=rate)
                repeated = valuator.replicates(Problem(data, MODEL, privacy), Run(Streams(99), TRAINER), REPEATED)
                true = repeated.values.var(axis=0, ddof=1).mean()
                single = [
                    valuator.valuate(Problem(data, MODEL, privacy), Run(Streams(seed), TRAINER)).values.std_error
                    for seed in range(RUNS)
                ]
                ratio = np.mean([(errors**2).mean() / true for errors in single]) ** 0.5
                print(f"{name},{epsilon:g},{privacy.name},{ratio:.2f}", flush=True)


if __name__ == "__main__":
    main()
