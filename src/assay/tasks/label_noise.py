"""Do private values find corrupted labels, and how do the number of evaluations and the burn-in change that?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from assay.config.limits import not_empty
from assay.runs import Outcome
from assay.statistics import (
    bootstrap_indices,
    detection_auc,
    detection_precision,
    mean_interval,
    percentile_interval,
    scaled_uncertainty,
    spearman,
)
from assay.tasks.comparison import RESEARCH, Measured, cost_rows, reference_cell, spending, swept_cells
from assay.tasks.fields import AtLeastTwo, BurnInShare, Contenders, Evaluations, Sweep
from assay.tasks.headlines import of_comparison
from assay.tasks.needs import check_damaged
from assay.tasks.study import clean_rows
from assay.tasks.uncertainty import columns

if TYPE_CHECKING:
    import pandas as pd

    from assay.arrays import Flags, Floats
    from assay.config.choices import Choices
    from assay.runs import Streams
    from assay.valuation.valuator import Problem, Run, Valuator

DRAWS = 400  # of the bootstrap over replicates
SHOWN = ("contender", "evaluations", "auc", "precision", "spearman", "scaled_uncertainty", "epsilon", "seconds")
MEASURES = ("auc", "precision", "spearman", "scaled_uncertainty")


@dataclass(frozen=True)
class LabelNoise:
    """Looks for corrupted rows among low values: ROC-AUC, precision, rank fidelity and scaled estimation uncertainty.

    Precision is taken among as many of the lowest values as there are corrupted rows. Beside every AUC stands the ceiling
    that the budget sets. A mechanism with burn-in is measured under each of `burn_ins` (shares of the evaluations) from the
    same rounds, so that burn-ins are compared release by release. Source: 2412.17008, detection of noisy labels under 30 %
    corruption against the burn-in (Fig. 3, as reviewers describe it).
    """

    reads_test: ClassVar[bool] = False

    contenders: Contenders = ("none", "iid", "running_mean", "running_mean_burn_in")  # type: ignore[assignment]
    evaluations: Sweep = (10, 40, 160)
    burn_ins: Annotated[tuple[BurnInShare, ...], not_empty("e.g. [0,0.5,0.9]")] = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99)
    replicates: AtLeastTwo = 24
    reference_evaluations: Evaluations = 1200
    name: str = "label_noise"

    def check(self, run: Choices) -> None:
        """Raises InputError for rows of which none is corrupted."""
        check_damaged(run)

    def answer(self, problem: Problem, valuator: Valuator, run: Run) -> Outcome:
        """Tables summary, burn_in and contrasts; the same as flat metrics; two figures. InputError if all rows are clean."""
        import pandas as pd

        from assay.figures.detection import burn_in_figure, detection_figure
        from assay.tasks.measuring import measure

        clean = clean_rows(problem.data)
        cells = swept_cells(self.contenders, self.evaluations, self.replicates, sorted(self.burn_ins))
        first = reference_cell(valuator, self.reference_evaluations, self.replicates)
        reference, *results = measure([first, *cells], problem, run)
        truth = reference.values.mean(axis=0)
        scoring = _Scoring(truth, clean, run.streams)
        ledger, spent = spending(results)
        tables = {
            "summary": pd.DataFrame([scoring.summary(each) for each in results]),
            "burn_in": pd.DataFrame([row for each in results for row in scoring.by_burn_in(each)]),
            "contrasts": pd.DataFrame([row for each in results for row in scoring.contrasts(each)]),
            "costs": pd.DataFrame(cost_rows(results)),
        }
        metrics = dict(_metrics(tables))
        metrics["utility_evaluations"] = float(sum(each.utility_evaluations for each in (reference, *results)))
        metrics["reference/auc"] = float(detection_auc(truth, clean))
        metrics["reference/precision"] = float(detection_precision(truth, clean))
        metrics["epsilon_per_estimate"] = spent
        figures = {"detection": detection_figure(tables["summary"], metrics["reference/auc"], float((~clean).mean()))}
        if len(tables["burn_in"]):
            figures["burn_in"] = burn_in_figure(tables["burn_in"], metrics["reference/auc"])
        tables = {name: table for name, table in tables.items() if len(table)}
        return Outcome(
            metrics,
            tables,
            figures,
            headline=of_comparison(tables, SHOWN, "contender"),
            ledger=ledger,
            facts={"release": RESEARCH},
        )


@dataclass(frozen=True, eq=False)
class _Scoring:
    """Scores values [R, n] of cells against the truth [n] and the clean rows [n]."""

    truth: Floats
    clean: Flags
    streams: Streams

    def summary(self, result: Measured) -> dict[str, Any]:
        """Scores of a cell's own values."""
        return {**result.cell.key, **self._row(result, result.values), "epsilon": result.shown_epsilon}

    def by_burn_in(self, result: Measured) -> Iterator[dict[str, Any]]:
        """Scores under each further burn-in."""
        for share, values in zip(result.cell.burn_ins, result.by_burn_in, strict=False):
            yield {**result.cell.key, "burn_in": f"{share:g}", **self._row(result, values)}

    def contrasts(self, result: Measured) -> Iterator[dict[str, Any]]:
        """Differences in AUC between burn-ins."""
        if len(result.by_burn_in) > 1:
            for row in _contrasts(result.cell.burn_ins, detection_auc(result.by_burn_in, self.clean)):
                yield {**result.cell.key, **row}

    def _row(self, result: Measured, values: Floats) -> dict[str, float]:
        count = len(values)
        draws = bootstrap_indices(count, DRAWS, self.streams.generator("bootstrap", result.cell.evaluations))
        drawn = [scaled_uncertainty(values[rows], self.truth) for rows in draws]
        intervals = (
            mean_interval(detection_auc(values, self.clean)),
            mean_interval(detection_precision(values, self.clean)),
            mean_interval(spearman(values, self.truth)),
            # a resample of m replicates has (m - 1)/m of the variance
            percentile_interval(scaled_uncertainty(values, self.truth), np.array(drawn) * count / (count - 1)),
        )
        ceiling = result.cell.contender.privacy.detection_ceiling()
        return columns(dict(zip(MEASURES, intervals, strict=True))) | {"auc_ceiling": ceiling}


def _contrasts(shares: Sequence[float], aucs: Floats) -> Iterator[dict[str, Any]]:
    """Differences in AUC between burn-ins (ascending `shares` [B], `aucs` [B, R]), paired by replicate.

    `rise` is the best share strictly between the first and the last, minus the first; `fall` is the best minus the last.
    The best is chosen by the mean over one half of the replicates and read off the other half, both ways, so that the
    choice does not flatter it. `gain_q` is share q minus the first; `drop` the last but one minus the last.
    """
    first, last = aucs[0], aucs[-1]
    named = {f"gain_q{share:g}": row - first for share, row in zip(shares[1:], aucs[1:], strict=True)}
    named["drop"] = aucs[-2] - last
    if len(shares) > 2 and aucs.shape[1] > 1:
        best = _best_of_the_others(aucs[1:-1])
        named |= {"rise": best - first, "fall": best - last}
    for name, differences in named.items():
        yield {"contrast": name, **columns({"auc_difference": mean_interval(differences)})}


def _best_of_the_others(candidates: Floats) -> Floats:
    """For each replicate [R] the candidate [B, R] that is best on average over the replicates of the other half."""
    best = np.empty(candidates.shape[1])
    for half, other in ((0, 1), (1, 0)):
        best[half::2] = candidates[candidates[:, other::2].mean(axis=1).argmax(), half::2]
    return best


def _metrics(tables: dict[str, pd.DataFrame]) -> Iterator[tuple[str, float]]:
    """`<contender>/<k>/<measure>`, `<contender>/<k>/q<share>/<measure>`, `<contender>/<k>/auc_<contrast>` and changes with k."""
    for row in (*tables["summary"].to_dict("records"), *tables["burn_in"].to_dict("records")):
        swept = "burn_in" in row
        place = f"{row['contender']}/{row['evaluations']}" + (f"/q{row['burn_in']}" if swept else "")
        for name in (*MEASURES, *(() if swept else ("auc_ceiling",))):
            if np.isfinite(row[name]):
                yield f"{place}/{name}", float(row[name])
    for row in tables["contrasts"].to_dict("records"):
        yield f"{row['contender']}/{row['evaluations']}/auc_{row['contrast']}", row["auc_difference"]
    for contender, part in tables["summary"].groupby("contender", sort=False):
        ordered = part.sort_values("evaluations")
        if len(ordered) > 1:
            for name in ("auc", "spearman"):
                yield f"{contender}/{name}_change", float(ordered[name].iloc[-1] - ordered[name].iloc[0])
