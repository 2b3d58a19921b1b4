"""Measures of how well one law describes sampled contributions, and of the fitted exponents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.statistics import mean_interval, spearman
from assay.valuation.laws.fit_quality import r_squared
from assay.valuation.laws.log_linear import LogLinear
from assay.valuation.laws.two_term import fit_two_term

if TYPE_CHECKING:
    from assay.arrays import Floats
    from assay.valuation.contributions.samples import CardinalityMeans
    from assay.valuation.laws.laws import Laws

FORMS: dict[str, Callable[[CardinalityMeans], Laws]] = {
    "weighted_power": LogLinear("weighted_power").fit_means,
    "two_term": fit_two_term,
}
WELL_FITTED = 0.8  # the paper's code draws the exponents of points above it


def by_cardinality(
    means: CardinalityMeans, halves: Sequence[CardinalityMeans], fits: dict[str, Laws]
) -> list[dict[str, float]]:
    """A row for each cardinality: R^2 over points of every form, on its own samples and on the other half's."""
    sizes = means.cardinalities
    columns = {f"{form}/r2": r_squared(means.mean, laws.at(sizes).mean) for form, laws in fits.items()}
    for form, fit in {"log_linear": LogLinear().fit_means, **FORMS}.items():
        across = [r_squared(b.mean, fit(a).at(sizes).mean) for a, b in (halves, tuple(reversed(halves)))]
        columns[f"{form}/held_out_r2"] = np.mean(across, axis=0)
    first, second = halves
    columns["split_half_r2"] = (r_squared(second.mean, first.mean) + r_squared(first.mean, second.mean)) / 2
    return [
        {"cardinality": int(size), **{name: float(each[place]) for name, each in columns.items()}}
        for place, size in enumerate(sizes)
    ]


def quality(by_size: Any) -> dict[str, float]:
    """Overall figures (means over cardinalities) and those of each cardinality."""
    names = [name for name in by_size.columns if name != "cardinality"]
    figures = {name: float(by_size[name].mean()) for name in names}
    for row in by_size.to_dict("records"):
        figures[f"log_linear/r2/{int(row['cardinality'])}"] = float(row["log_linear/r2"])
    return figures


def exponents(frame: Any) -> dict[str, float]:
    """Summary of the log-log fits of the points; exponents of the well-fitted alone."""
    alphas = frame.loc[frame["log_r2"] >= WELL_FITTED, "alpha"].to_numpy()
    figures = {f"share_above/{bound}": float((frame["log_r2"] >= bound).mean()) for bound in (0.8, 0.9, 0.95)}
    figures["harmful_share"] = float((frame["c"] < 0).mean())
    if len(alphas):
        low, middle, high = np.quantile(alphas, [0.1, 0.5, 0.9])
        figures |= {"alpha/q10": float(low), "alpha/median": float(middle), "alpha/q90": float(high)}
        figures["alpha/mode"] = density_mode(alphas)
    return figures


def density_mode(sample: Floats) -> float:
    """Where a Gaussian kernel density (Scott's width) of a sample is highest, of 400 places; the median of a constant one."""
    from scipy import stats

    if len(sample) < 3 or np.ptp(sample) == 0:
        return float(np.median(sample))
    places = np.linspace(float(sample.min()), float(sample.max()), 400)
    return float(places[np.argmax(stats.gaussian_kde(sample)(places))])


def crossing(means: CardinalityMeans, halves: Sequence[CardinalityMeans]) -> dict[str, float]:
    """Agreement of the order of points at the smallest size with that at the largest, and what noise alone would leave of it."""
    first, second = halves
    across = [spearman(a.mean[:, 0], b.mean[:, -1]) for a, b in ((first, second), (second, first))]
    steady = np.sqrt(
        np.maximum(spearman(first.mean[:, 0], second.mean[:, 0]), 0)
        * np.maximum(spearman(first.mean[:, -1], second.mean[:, -1]), 0)
    )
    signs = np.sign(means.mean[:, 0]) != np.sign(means.mean[:, -1])
    sure = (np.abs(means.mean) > 3 * means.std_error)[:, [0, -1]].all(axis=1)
    return {
        "rank_correlation/measured": float(np.mean(across)),
        "rank_correlation/of_noise_alone": float(steady),
        "rank_correlation/true": float(np.mean(across) / steady) if steady > 0 else float("nan"),
        "sign_changes": float((signs & sure).mean()),
    }


def boundary(frame: Any, kind: str) -> dict[str, float]:
    """Spearman correlation of alpha with the margin of the point's own label, within each class."""
    if kind != "classification":
        return {}
    well_fitted = frame[frame["log_r2"] >= WELL_FITTED]
    correlations: dict[str, float] = {}
    for label, part in well_fitted.groupby("target"):
        if len(part) >= 8:
            rho = spearman(part["alpha"].to_numpy()[None], part["margin"].to_numpy())[0]
            correlations[f"boundary/{int(label)}/spearman"] = float(rho)
    if correlations:
        correlations["boundary/mean/spearman"] = mean_interval(list(correlations.values())).estimate
    return correlations
