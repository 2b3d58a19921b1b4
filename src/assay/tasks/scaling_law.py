"""The fit of one law in the number of rows to what a row adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from assay.config.limits import at_least
from assay.runs import Outcome
from assay.tasks.fields import AtLeastTwo, Corrected
from assay.tasks.headlines import of_summary
from assay.tasks.needs import check_laws
from assay.tasks.scaling import grid_of, sampling_of, setting_at, sized_for, split_points

if TYPE_CHECKING:
    from assay.config.choices import Choices
    from assay.tasks.scaling import LawValuator
    from assay.valuation.valuator import Problem, Run


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

    def check(self, run: Choices) -> None:
        """Raises InputError for a valuation without laws."""
        check_laws(run)

    def answer(self, problem: Problem, valuator: LawValuator, run: Run) -> Outcome:
        """Tables `summary` (by cardinality) and `points`; metrics by form of law."""
        import pandas as pd

        from assay.figures.scaling import boundary_figure, crossing_figure, law_figure, parameter_figure
        from assay.tasks import law_quality
        from assay.valuation.contributions.samples import merged
        from assay.valuation.laws.label_margins import label_margins
        from assay.valuation.laws.log_linear import LogLinear

        train = problem.data.train
        valuator = sized_for(valuator, problem.data, self.points)
        sizes = grid_of(valuator, self.cardinalities)
        points, pool = split_points(problem.data, run.streams, self.points, int(sizes.max()))
        setting = setting_at(problem, valuator, points, pool)
        with run.showing("sampling contributions", self._subsets(len(sizes))) as shown:
            sampling = sampling_of(setting, shown)
            halves = [
                sampling.means(half, sizes.tolist(), self.samples // 2, self.corrected, valuator.level)
                for half in ("first-half", "second-half")
            ]
        means = merged(halves)
        laws = LogLinear().fit_means(means)
        fits = {"log_linear": laws, **{form: fit(means) for form, fit in law_quality.FORMS.items()}}
        by_size = pd.DataFrame(law_quality.by_cardinality(means, halves, fits))
        frame = pd.DataFrame(
            {
                "id": train.ids[points],
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
            **law_quality.quality(by_size),
            **law_quality.exponents(frame),
            **law_quality.crossing(means, halves),
            **law_quality.boundary(frame, setting.kind),
        }
        figures = {
            "law": law_figure(frame, by_size),
            "parameters": parameter_figure(frame, law_quality.WELL_FITTED),
            "crossing": crossing_figure(frame, by_size),
        }
        if setting.kind == "classification":
            well_fitted = frame[frame["log_r2"] >= law_quality.WELL_FITTED]
            figures["boundary"] = boundary_figure(well_fitted, problem.data.classes)
        tables = {"summary": by_size, "points": frame}
        return Outcome(metrics, tables, figures, headline=of_summary(by_size, (), metrics))

    def _subsets(self, sizes: int) -> int:
        return round(self.samples * sizes * (1 + (self.corrected or 0)))
