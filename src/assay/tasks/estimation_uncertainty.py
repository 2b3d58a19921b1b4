"""How do uncertainty, rank fidelity and label-noise detection move with the number of evaluations, at a fixed budget?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from assay.config.limits import not_empty
from assay.runs import Outcome
from assay.statistics import (
    Interval,
    bootstrap_indices,
    detection_auc,
    estimation_uncertainty,
    log_log_slope,
    mean_interval,
    percentile_interval,
    spearman,
)
from assay.tasks.cells import (
    RESEARCH,
    Cell,
    cost_rows,
    measure_cells,
    reference_cell,
    spending,
    swept_cells,
)
from assay.tasks.fields import AtLeastTwo, Evaluations, Sweep
from assay.tasks.headlines import of_comparison
from assay.tasks.study import Study, clean_rows, gradient_valuator

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

DRAWS = 1_000  # of the bootstrap over replicates
SHOWN = ("mechanism", "evaluations", "estimation_uncertainty", "spearman", "auc", "epsilon", "seconds")
SLOPE = ("slope", "slope_low", "slope_high")


@dataclass(frozen=True)
class EstimationUncertainty:
    """Compares mechanisms at every number of evaluations under one budget, over replicates of noise and permutations.

    Estimation uncertainty is the variance of a row's value over replicates, averaged over rows (2412.17008, Eq. 3 as
    reviewers describe it). It is always shown beside rank fidelity, since a constant estimator has none: the Spearman
    correlation with non-private values from permutations of their own, and the ROC-AUC of finding corrupted labels.
    A mechanism that releases each row once has no evaluations to sweep: it is measured once, as k = 1, and has no slope.
    Mechanisms share permutations and noise at the same number of evaluations, so that they are compared in pairs.
    """

    reads_test: ClassVar[bool] = False

    mechanisms: Annotated[list[str], not_empty("e.g. [none,iid]")] = field(
        default_factory=lambda: ["none", "iid", "running_mean", "running_mean_burn_in"]
    )
    evaluations: Sweep = field(default_factory=lambda: [10, 40, 160])
    replicates: AtLeastTwo = 24
    reference_evaluations: Evaluations = 1200
    name: str = "estimation_uncertainty"

    def answer(self, study: Study) -> Outcome:
        """Tables summary, slopes, costs and values; the same as flat metrics; two figures."""
        import pandas as pd

        from assay.figures.values import fidelity_figure, uncertainty_figure

        valuator, privacy, clean = gradient_valuator(study, self.name), study.row_privacy(), clean_rows(study)
        cells = swept_cells(privacy, self.mechanisms, self.evaluations, self.replicates)
        first = reference_cell(privacy, self.reference_evaluations, self.replicates)
        reference, *found = measure_cells(study, valuator, [first, *cells])
        truth = reference["values"].mean(axis=0)
        rows, slopes = [], []
        for name in self.mechanisms:
            measured = [(c, f) for c, f in zip(cells, found, strict=True) if c.privacy.name == name]
            spread = [uncertainty_of(f["values"], self._draws(study, c.evaluations)) for c, f in measured]
            for (cell, result), (uncertainty, _) in zip(measured, spread, strict=True):
                rows.append(self._row(study, cell, result, uncertainty, truth))
            if len(measured) > 1:
                slopes.append({"mechanism": name, **self._slope(spread)})
        summary, slope_table = pd.DataFrame(rows), pd.DataFrame(slopes, columns=["mechanism", *SLOPE])
        ledger, spent = spending(found)
        metrics = self._metrics(summary, slope_table)
        metrics["utility_evaluations"] = float(sum(int(r["utility_evaluations"]) for r in (reference, *found)))
        metrics["reference/auc"] = float(detection_auc(truth, clean))
        metrics["epsilon_per_estimate"] = spent
        figures = {
            "estimation_uncertainty": uncertainty_figure(summary, slope_table),
            "fidelity": fidelity_figure(summary),
        }
        tables = {"summary": summary, "slopes": slope_table, "costs": pd.DataFrame(cost_rows(cells, found))}
        tables["values"] = self._values(study, cells, found, truth)
        return Outcome(
            metrics,
            tables,
            figures,
            headline=of_comparison(tables, SHOWN, "mechanism"),
            ledger=ledger,
            facts={"release": RESEARCH},
        )

    def _draws(self, study: Study, evaluations: int) -> NDArray[np.int64]:
        """Resamples of the replicates: the same for mechanisms that share noise, others at another number of evaluations."""
        generator = study.context.streams.generator("bootstrap", evaluations)
        return bootstrap_indices(self.replicates, DRAWS, generator)

    def _row(
        self, study: Study, cell: Cell, result: dict[str, Any], uncertainty: Interval, truth: NDArray[np.float64]
    ) -> dict[str, Any]:
        fidelity = mean_interval(spearman(result["values"], truth))
        detection = mean_interval(detection_auc(result["values"], study.data.train.clean))
        row: dict[str, Any] = {"mechanism": cell.privacy.name, "evaluations": cell.evaluations}
        for column, interval in (
            ("estimation_uncertainty", uncertainty),
            ("spearman", fidelity),
            ("auc", detection),
        ):
            row |= {column: interval.estimate, f"{column}_low": interval.low, f"{column}_high": interval.high}
        row["epsilon"] = float(result["epsilon"]) if cell.privacy.private else float("inf")
        row["auc_ceiling"] = cell.privacy.detection_ceiling()
        row["touches_least"], row["touches_most"] = int(result["touches"].min()), int(result["touches"].max())
        return row

    def _slope(self, spread: Sequence[tuple[Interval, NDArray[np.float64]]]) -> dict[str, float]:
        heights = [interval.estimate for interval, _ in spread]
        estimate = float(log_log_slope(self.evaluations, heights))
        drawn = log_log_slope(self.evaluations, np.stack([each for _, each in spread], axis=-1))
        interval = percentile_interval(estimate, drawn)
        return dict(zip(SLOPE, (estimate, interval.low, interval.high), strict=True))

    def _metrics(self, summary: pd.DataFrame, slopes: pd.DataFrame) -> dict[str, float]:
        metrics: dict[str, float] = {}
        for row in summary.to_dict("records"):
            for column in ("estimation_uncertainty", "spearman", "auc", "epsilon"):
                if np.isfinite(row[column]):
                    metrics[f"{row['mechanism']}/{row['evaluations']}/{column}"] = float(row[column])
        for name, slope in zip(slopes["mechanism"], slopes["slope"], strict=True):
            fidelity = summary.loc[summary["mechanism"] == name].sort_values("evaluations")["spearman"]
            metrics[f"{name}/slope"] = float(slope)
            metrics[f"{name}/spearman_change"] = float(fidelity.iloc[-1] - fidelity.iloc[0])
        return metrics

    def _values(
        self, study: Study, cells: Sequence[Cell], found: Sequence[dict[str, Any]], truth: NDArray[np.float64]
    ) -> pd.DataFrame:
        """Values at the largest number of evaluations: the mean over replicates with its standard error."""
        import pandas as pd

        from assay.valuation.values import Values

        train, most = study.data.train, max(self.evaluations)
        parts = []
        for cell, result in zip(cells, found, strict=True):
            if cell.evaluations == most or cell.privacy.one_release:
                values = result["values"]
                error = values.std(axis=0, ddof=1) / len(values) ** 0.5
                counts = result["evaluations"].sum(axis=0)
                table = Values(train.ids, values.mean(axis=0), error, counts, len(values) - 1).table()
                parts.append(table.assign(mechanism=cell.privacy.name))
        order = train.ids.argsort(kind="stable")
        extra = pd.DataFrame({"id": train.ids[order], "clean": train.clean[order], "non_private_value": truth[order]})
        return pd.concat(parts, ignore_index=True).merge(extra, on="id", how="left", validate="many_to_one")


def uncertainty_of(values: NDArray[np.float64], draws: NDArray[np.int64]) -> tuple[Interval, NDArray[np.float64]]:
    """Mean over rows of the variance over replicates, with bootstrap draws over replicates."""
    estimate = estimation_uncertainty(values)
    count = len(values)
    # a resample of m replicates has (m - 1)/m of the variance: undone, so that the draws centre on the estimate
    drawn = np.array([estimation_uncertainty(values[rows]) for rows in draws]) * count / (count - 1)
    return percentile_interval(estimate, drawn), drawn
