"""Cost of fitting scaling laws, on drawn samples: no data set is needed, since the work does not depend on the numbers.

OMP_NUM_THREADS=1 python -m experiments.benchmarks.law_fits
"""

from __future__ import annotations

import numpy as np

from assay.learning.models.affine import Logistic
from assay.learning.trainer import Trainer
from assay.valuation.contributions.samples import Contributions
from assay.valuation.contributions.setting import Labelled, Setting
from assay.valuation.contributions.subsets import Cardinalities
from assay.valuation.laws.empirical_bayes import EmpiricalBayes
from assay.valuation.laws.estimators import fit_laws
from assay.valuation.laws.likelihood import Likelihood
from experiments.benchmarks.timing import REPORTS, Measurements, seconds


def drawn(points: int, samples: int, seed: int = 0) -> Contributions:
    """Contributions of points whose laws differ: c of either sign, alpha about 1.3, standard deviation sigma k^(-beta/2)."""
    rng = np.random.default_rng(seed)
    law = Cardinalities()
    sizes = np.stack([law.draw(samples, rng) for _ in range(points)])
    c, alpha = rng.normal(0.3, 0.5, (points, 1)), rng.normal(1.3, 0.2, (points, 1)).clip(0.6, 2.5)
    sigma, beta = np.exp(rng.normal(-0.5, 0.5, (points, 1))), rng.normal(2.8, 0.3, (points, 1))
    noise = rng.standard_t(5, (points, samples)) * np.sqrt(3 / 5)
    delta = c * sizes**-alpha + sigma * sizes ** (-beta / 2) * noise
    return Contributions(sizes, delta, np.ones(sizes.shape), False)


def setting_for(points: int, features: int = 64) -> Setting:
    """A setting with drawn features and two classes, for estimators that read them."""
    rng = np.random.default_rng(1)
    rows = Labelled(rng.standard_normal((points, features)), rng.integers(0, 2, points))
    return Setting(rows, rows, rows, "classification", 2, Logistic())


def main() -> None:
    """Prints and writes a line for each estimator."""
    measurements = Measurements()
    many, covariates = drawn(10_000, 100), np.random.default_rng(2).standard_normal((10_000, 11))
    measurements.note("likelihood, 10,000 points, m=100, CPU s", seconds(lambda: Likelihood().fit(many), 3))
    fewer = many.first(50)
    bayes = EmpiricalBayes()
    measurements.note(
        "empirical Bayes, 10,000 points, m=50, CPU s", seconds(lambda: bayes.fit(fewer, covariates), 3, warm=False)
    )
    small = drawn(2000, 20)
    setting = setting_for(2000)

    def amortised() -> object:
        return fit_laws("amortised", setting, small, covariates[:2000], np.random.default_rng(3), Trainer())

    measurements.note("amortised network, 2,000 points, m=20, CPU s", seconds(amortised, 3))
    measurements.write(REPORTS / "law_fits.csv")


if __name__ == "__main__":
    main()
