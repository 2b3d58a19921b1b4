"""How well does one law in the number of rows describe what a row adds?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from assay.config.limits import at_least
from assay.runs import Outcome
from assay.statistics import mean_interval, spearman
from assay.tasks.fields import AtLeastTwo, Corrected
from assay.tasks.headlines import of_summary
from assay.tasks.study import Study
from assay.valuation.laws.fit_quality import r_squared
from assay.valuation.laws.log_linear import LogLinear
from assay.valuation.laws.two_term import fit_two_term

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.valuation.contributions.samples import CardinalityMeans
    from assay.valuation.laws.laws import Laws

    Floats = NDArray[np.float64]

FORMS: dict[str, Callable[[CardinalityMeans], Laws]] = {
    "weighted_power": LogLinear("weighted_power").fit_means,
    "two_term": fit_two_term,
}
WELL_FITTED = 0.8  # the paper's code draws the exponents of points above it


@dataclass(frozen=True)
class ScalingLawTask:
    """Measures mean contributions of `points` rows at `cardinalities` sizes, and fits laws to them.

    Contributions are sampled in two halves. `<form>/r2` scores a fit on the samples it was fitted to, as the paper's figure
    does; `<form>/held_out_r2` fits one half and scores on the other; `split_half_r2` is what the means of one half say of
    the other: a law that is right comes above it, since it has less noise than they have. `corrected` is the share of
    subsets solved exactly where the others are solved by one cheap step (null: all exactly). Source: 2405.20456, Figure
    1, histograms of R^2 and alpha, crossing lines, and alpha against the decision boundary.
    """

    reads_test: ClassVar[bool] = False

    points: AtLeastTwo = 200
    cardinalities: Annotated[int, at_least(3, "a line needs more than two places")] = 10
    samples: Annotated[int, at_least(4, "two halves of two each")] = 500
    corrected: Corrected = 0.1
    name: str = "scaling_law"

    def answer(self, study: Study) -> Outcome:
        """Tables `summary` (by cardinality) and `points`; metrics by form of law."""
        import pandas as pd

        from assay.figures.scaling import boundary_figure, crossing_figure, law_figure, parameter_figure
        from assay.tasks.scaling import grid_of, sampling_of, scaling_problem, scaling_valuator, split_points
        from assay.valuation.contributions.samples import merged
        from assay.valuation.laws.label_margins import label_margins

        valuator = scaling_valuator(study, self.name)
        sizes = grid_of(valuator, self.cardinalities)
        points, pool = split_points(study, self.points, int(sizes.max()))
        setting = scaling_problem(study, valuator, points, pool)
        with study.context.progress.task("sampling contributions", self._subsets(len(sizes))) as bar:
            sampling = sampling_of(study, setting, bar.advance)
            halves = [
                sampling.means(half, sizes.tolist(), self.samples // 2, self.corrected, valuator.level)
                for half in ("first-half", "second-half")
            ]
        means = merged(halves)
        laws = LogLinear().fit_means(means)
        fits: dict[str, Laws] = {"log_linear": laws, **{form: fit(means) for form, fit in FORMS.items()}}
        by_size = pd.DataFrame(_by_cardinality(means, halves, fits))
        frame = pd.DataFrame(
            {
                "id": study.data.train.ids[points],
                "target": setting.points.target,
                **laws.parameters(),
                "log_r2": laws.r_squared,
                **({"margin": label_margins(setting)} if setting.kind == "classification" else {}),
                **{f"psi_{size}": means.mean[:, place] for place, size in enumerate(sizes)},
            }
        )
        metrics = {
            "points": float(len(points)),
            "samples": float(means.samples),
            "model_fits": float(means.fits),
            "refits": float(means.fallbacks),
            **_quality(by_size),
            **_exponents(frame),
            **_crossing(means, halves),
            **_boundary(frame, setting.kind),
        }
        tables = {"summary": by_size, "points": frame}
        figures = {
            "law": law_figure(means, laws, by_size),
            "parameters": parameter_figure(frame, WELL_FITTED),
            "crossing": crossing_figure(means, laws),
        }
        if setting.kind == "classification":
            figures["boundary"] = boundary_figure(frame[frame["log_r2"] >= WELL_FITTED], study.data.classes)
        return Outcome(metrics, tables, figures, headline=of_summary("summary", (), metrics))

    def _subsets(self, sizes: int) -> int:
        return round(self.samples * sizes * (1 + (self.corrected or 0)))


def _by_cardinality(
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


def _quality(by_size: Any) -> dict[str, float]:
    """Overall figures (means over cardinalities) and those of each cardinality."""
    names = [name for name in by_size.columns if name != "cardinality"]
    found = {name: float(by_size[name].mean()) for name in names}
    for row in by_size.to_dict("records"):
        found[f"log_linear/r2/{int(row['cardinality'])}"] = float(row["log_linear/r2"])
    return found


def _exponents(frame: Any) -> dict[str, float]:
    """How the log-log fits of the points came out; exponents of the well-fitted alone."""
    kept = frame.loc[frame["log_r2"] >= WELL_FITTED, "alpha"].to_numpy()
    found = {f"share_above/{bound}": float((frame["log_r2"] >= bound).mean()) for bound in (0.8, 0.9, 0.95)}
    found["harmful_share"] = float((frame["c"] < 0).mean())
    if len(kept):
        low, middle, high = np.quantile(kept, [0.1, 0.5, 0.9])
        found |= {"alpha/q10": float(low), "alpha/median": float(middle), "alpha/q90": float(high)}
        found["alpha/mode"] = density_mode(kept)
    return found


def density_mode(sample: Floats) -> float:
    """Where a Gaussian kernel density (Scott's width) of a sample is highest, of 400 places; the median of a constant one."""
    from scipy import stats

    if len(sample) < 3 or np.ptp(sample) == 0:
        return float(np.median(sample))
    places = np.linspace(float(sample.min()), float(sample.max()), 400)
    return float(places[np.argmax(stats.gaussian_kde(sample)(places))])


def _crossing(means: CardinalityMeans, halves: Sequence[CardinalityMeans]) -> dict[str, float]:
    """How far the order of points at the smallest size is that at the largest, and what noise alone would leave of it."""
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


def _boundary(frame: Any, kind: str) -> dict[str, float]:
    """Spearman correlation of alpha with the margin of the point's own label, within each class."""
    if kind != "classification":
        return {}
    kept = frame[frame["log_r2"] >= WELL_FITTED]
    found: dict[str, float] = {}
    for label, part in kept.groupby("target"):
        if len(part) >= 8:
            rho = spearman(part["alpha"].to_numpy()[None], part["margin"].to_numpy())[0]
            found[f"boundary/{int(label)}/spearman"] = float(rho)
    if found:
        found["boundary/mean/spearman"] = mean_interval(list(found.values())).estimate
    return found
