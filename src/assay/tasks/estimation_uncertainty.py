"""Uncertainty, rank fidelity and label-noise detection by number of evaluations, at a fixed budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from assay.runs import Outcome
from assay.statistics import Interval, detection_auc, mean_interval, spearman
from assay.tasks.comparison import RESEARCH, Measured, cost_rows, reference_cell, spending, swept_cells
from assay.tasks.fields import AtLeastTwo, Contenders, Evaluations, Sweep
from assay.tasks.headlines import of_comparison
from assay.tasks.needs import check_damaged
from assay.tasks.study import clean_rows
from assay.tasks.uncertainty import columns, slope_table, spread_of

if TYPE_CHECKING:
    import pandas as pd

    from assay.arrays import Flags, Floats
    from assay.config.choices import Choices
    from assay.valuation.valuator import Problem, Run, Valuator

SHOWN = ("contender", "evaluations", "estimation_uncertainty", "spearman", "auc", "epsilon", "seconds")


@dataclass(frozen=True)
class EstimationUncertainty:
    """Compares contenders at every number of evaluations under one budget, over replicates of noise and permutations.

    Estimation uncertainty is the variance of a row's value over replicates, averaged over rows (2412.17008, Eq. 3 as
    reviewers describe it). It is always shown beside rank fidelity, since a constant estimator has none: the Spearman
    correlation with non-private values from permutations of their own, and the ROC-AUC of finding corrupted labels.
    A contender without evaluations to sweep is measured once, and has no slope. Contenders share permutations and noise at
    the same number of evaluations, so that they are compared in pairs.
    """

    reads_test: ClassVar[bool] = False

    contenders: Contenders = ("none", "iid", "running_mean", "running_mean_burn_in")  # type: ignore[assignment]
    evaluations: Sweep = (10, 40, 160)
    replicates: AtLeastTwo = 24
    reference_evaluations: Evaluations = 1200
    name: str = "estimation_uncertainty"

    def check(self, run: Choices) -> None:
        """Raises InputError for rows of which none is corrupted."""
        check_damaged(run)

    def answer(self, problem: Problem, valuator: Valuator, run: Run) -> Outcome:
        """Tables summary, slopes, costs and values; the same as flat metrics; two figures."""
        import pandas as pd

        from assay.figures.evaluations import fidelity_figure, uncertainty_figure
        from assay.tasks.measuring import measure

        clean = clean_rows(problem.data)
        cells = swept_cells(self.contenders, self.evaluations, self.replicates)
        first = reference_cell(valuator, self.reference_evaluations, self.replicates)
        reference, *results = measure([first, *cells], problem, run)
        truth = reference.values.mean(axis=0)
        spreads = [spread_of(each, run.streams) for each in results]
        rows = [_row(each, spread, truth, clean) for each, (spread, _) in zip(results, spreads, strict=True)]
        summary = pd.DataFrame(rows)
        slopes = slope_table(results, spreads)
        ledger, spent = spending(results)
        metrics = _metrics(summary, slopes)
        metrics["utility_evaluations"] = float(sum(each.utility_evaluations for each in (reference, *results)))
        metrics["reference/auc"] = float(detection_auc(truth, clean))
        metrics["epsilon_per_estimate"] = spent
        tables = {"summary": summary, "slopes": slopes, "costs": pd.DataFrame(cost_rows(results))}
        tables["values"] = self._values(problem, results, truth)
        return Outcome(
            metrics,
            tables,
            {"estimation_uncertainty": uncertainty_figure(summary, slopes), "fidelity": fidelity_figure(summary)},
            headline=of_comparison(tables, SHOWN, "contender"),
            ledger=ledger,
            facts={"release": RESEARCH},
        )

    def _values(self, problem: Problem, results: Sequence[Measured], truth: Floats) -> pd.DataFrame:
        """Values at the largest number of evaluations: the mean over replicates with its standard error."""
        import pandas as pd

        from assay.valuation.values import Values

        train, most = problem.data.train, max(self.evaluations)
        cells_of = Counter(each.cell.contender.name for each in results)
        parts = []
        for each in results:
            cell, values = each.cell, each.values
            if cell.evaluations == most or cells_of[cell.contender.name] == 1:
                error = values.std(axis=0, ddof=1) / len(values) ** 0.5
                counts = each.evaluations.sum(axis=0)
                table = Values(train.ids, values.mean(axis=0), error, counts, len(values) - 1).table()
                parts.append(table.assign(contender=cell.contender.name))
        order = train.ids.argsort(kind="stable")
        extra = pd.DataFrame({"id": train.ids[order], "clean": train.clean[order], "non_private_value": truth[order]})
        return pd.concat(parts, ignore_index=True).merge(extra, on="id", how="left", validate="many_to_one")


def _row(result: Measured, uncertainty: Interval, truth: Floats, clean: Flags) -> dict[str, Any]:
    scores = {
        "estimation_uncertainty": uncertainty,
        "spearman": mean_interval(spearman(result.values, truth)),
        "auc": mean_interval(detection_auc(result.values, clean)),
    }
    touches = {"touches_least": int(result.touches.min()), "touches_most": int(result.touches.max())}
    bounds = {"epsilon": result.shown_epsilon, "auc_ceiling": result.cell.contender.privacy.detection_ceiling()}
    return result.cell.key | columns(scores) | bounds | touches


def _metrics(summary: pd.DataFrame, slopes: pd.DataFrame) -> dict[str, float]:
    metrics: dict[str, float] = {}
    for row in summary.to_dict("records"):
        for column in ("estimation_uncertainty", "spearman", "auc", "epsilon"):
            if np.isfinite(row[column]):
                metrics[f"{row['contender']}/{row['evaluations']}/{column}"] = float(row[column])
    for name, slope in zip(slopes["contender"], slopes["slope"], strict=True):
        fidelity = summary.loc[summary["contender"] == name].sort_values("evaluations")["spearman"]
        metrics[f"{name}/slope"] = float(slope)
        metrics[f"{name}/spearman_change"] = float(fidelity.iloc[-1] - fidelity.iloc[0])
    return metrics
