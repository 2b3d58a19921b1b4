"""Names of the estimators of scaling laws, as configs use them."""

from __future__ import annotations

from typing import Literal

LawName = Literal[
    "monte_carlo",
    "likelihood",
    "likelihood_boxed",
    "amortised",
    "empirical_bayes",
    "empirical_bayes_plain",
    "empirical_bayes_power",
    "empirical_bayes_blend",
    "amortised_updated",
]
Density = Literal["uniform", "log_uniform"]

MONTE_CARLO: LawName = "monte_carlo"  # the mean of the samples, which is no law
LEAST_SAMPLES = 4  # of a law's four parameters


def fits_law(name: str) -> bool:
    """True for estimators that fit a law, and can be asked at sizes that were not sampled."""
    return name != MONTE_CARLO
