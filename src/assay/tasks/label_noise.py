"""Do private values find corrupted labels, and how do the number of evaluations and the burn-in change that?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from assay.config.limits import not_empty
from assay.runs import Outcome
from assay.statistics import (
    Interval,
    bootstrap_indices,
    detection_auc,
    detection_precision,
    mean_interval,
    percentile_interval,
    scaled_uncertainty,
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
from assay.tasks.fields import AtLeastTwo, BurnInShare, Evaluations, Sweep
from assay.tasks.headlines import of_comparison
from assay.tasks.study import Study, clean_rows, gradient_valuator

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

DRAWS = 400  # of the bootstrap over replicates
MEASURES = ("auc", "precision", "spearman", "scaled_uncertainty")

SHOWN = ("mechanism", "evaluations", "auc", "precision", "spearman", "scaled_uncertainty", "epsilon", "seconds")


@dataclass(frozen=True)
class LabelNoise:
    """Looks for corrupted rows among low values: ROC-AUC, precision, rank fidelity and scaled estimation uncertainty.

    Precision is taken among as many of the lowest values as there are corrupted rows. Beside every AUC stands the ceiling
    that the budget sets. A mechanism with burn-in is measured under each of `burn_ins` (shares of the evaluations) from the
    same rounds, so that burn-ins are compared release by release. Source: 2412.17008, detection of noisy labels under 30 %
    corruption against the burn-in (Fig. 3, as reviewers describe it).
    """

    reads_test: ClassVar[bool] = False

    mechanisms: Annotated[list[str], not_empty("e.g. [none,iid]")] = field(
        default_factory=lambda: ["none", "iid", "running_mean", "running_mean_burn_in"]
    )
    evaluations: Sweep = field(default_factory=lambda: [10, 40, 160])
    burn_ins: Annotated[list[BurnInShare], not_empty("e.g. [0,0.5,0.9]")] = field(
        default_factory=lambda: [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99]
    )
    replicates: AtLeastTwo = 24
    reference_evaluations: Evaluations = 1200
    name: str = "label_noise"

    def answer(self, study: Study) -> Outcome:
        """Tables summary, burn_in and contrasts; the same as flat metrics; two figures. InputError if all rows are clean."""
        import pandas as pd

        from assay.figures.detection import burn_in_figure, detection_figure

        valuator, privacy = gradient_valuator(study, self.name), study.row_privacy()
        clean = clean_rows(study)
        cells = swept_cells(privacy, self.mechanisms, self.evaluations, self.replicates, sorted(self.burn_ins))
        first = reference_cell(privacy, self.reference_evaluations, self.replicates)
        reference, *found = measure_cells(study, valuator, [first, *cells])
        truth = reference["values"].mean(axis=0)
        summary, burn_in, contrasts = [], [], []
        for cell, result in zip(cells, found, strict=True):
            key = {"mechanism": cell.privacy.name, "evaluations": cell.evaluations}
            epsilon = float(result["epsilon"]) if cell.privacy.private else float("inf")
            summary.append({**key, **self._row(study, cell, result["values"], truth), "epsilon": epsilon})
            for share, values in zip(cell.burn_ins, result["by_burn_in"], strict=True):
                burn_in.append({**key, "burn_in": f"{share:g}", **self._row(study, cell, values, truth)})
            if len(cell.burn_ins) > 1:
                aucs = detection_auc(result["by_burn_in"], clean)
                contrasts += [{**key, **row} for row in _contrasts(cell.burn_ins, aucs)]
        ledger, spent = spending(found)
        tables = {"summary": pd.DataFrame(summary), "burn_in": pd.DataFrame(burn_in)}
        tables |= {"contrasts": pd.DataFrame(contrasts), "costs": pd.DataFrame(cost_rows(cells, found))}
        metrics = dict(_metrics(tables))
        metrics["utility_evaluations"] = float(sum(int(r["utility_evaluations"]) for r in (reference, *found)))
        metrics["reference/auc"] = float(detection_auc(truth, clean))
        metrics["reference/precision"] = float(detection_precision(truth, clean))
        metrics["epsilon_per_estimate"] = spent
        figures = {"detection": detection_figure(tables["summary"], metrics["reference/auc"], float((~clean).mean()))}
        if burn_in:
            figures["burn_in"] = burn_in_figure(tables["burn_in"], metrics["reference/auc"])
        tables = {name: table for name, table in tables.items() if len(table)}
        return Outcome(
            metrics,
            tables,
            figures,
            headline=of_comparison(tables, SHOWN, "mechanism"),
            ledger=ledger,
            facts={"release": RESEARCH},
        )

    def _row(
        self, study: Study, cell: Cell, values: NDArray[np.float64], truth: NDArray[np.float64]
    ) -> dict[str, float]:
        clean = study.data.train.clean
        draws = bootstrap_indices(
            self.replicates, DRAWS, study.context.streams.generator("bootstrap", cell.evaluations)
        )
        drawn = [scaled_uncertainty(values[rows], truth) for rows in draws]
        intervals = (
            mean_interval(detection_auc(values, clean)),
            mean_interval(detection_precision(values, clean)),
            mean_interval(spearman(values, truth)),
            # a resample of m replicates has (m - 1)/m of the variance
            percentile_interval(
                scaled_uncertainty(values, truth), np.array(drawn) * self.replicates / (self.replicates - 1)
            ),
        )
        row: dict[str, float] = {}
        for measure, interval in zip(MEASURES, intervals, strict=True):
            row |= _columns(measure, interval)
        return row | {"auc_ceiling": cell.privacy.detection_ceiling()}


def _columns(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}


def _contrasts(shares: Sequence[float], aucs: NDArray[np.float64]) -> Iterator[dict[str, Any]]:
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
        yield {"contrast": name, **_columns("auc_difference", mean_interval(differences))}


def _best_of_the_others(candidates: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each replicate [R] the candidate [B, R] that is best on average over the replicates of the other half."""
    best = np.empty(candidates.shape[1])
    for half, other in ((0, 1), (1, 0)):
        best[half::2] = candidates[candidates[:, other::2].mean(axis=1).argmax(), half::2]
    return best


def _metrics(tables: dict[str, pd.DataFrame]) -> Iterator[tuple[str, float]]:
    """`<mechanism>/<k>/<measure>`, `<mechanism>/<k>/q<share>/<measure>`, `<mechanism>/<k>/auc_<contrast>` and changes with k."""
    for row in (*tables["summary"].to_dict("records"), *tables["burn_in"].to_dict("records")):
        swept = "burn_in" in row
        place = f"{row['mechanism']}/{row['evaluations']}" + (f"/q{row['burn_in']}" if swept else "")
        for name in (*MEASURES, *(() if swept else ("auc_ceiling",))):
            if np.isfinite(row[name]):
                yield f"{place}/{name}", float(row[name])
    for row in tables["contrasts"].to_dict("records"):
        yield f"{row['mechanism']}/{row['evaluations']}/auc_{row['contrast']}", row["auc_difference"]
    for mechanism, part in tables["summary"].groupby("mechanism", sort=False):
        ordered = part.sort_values("evaluations")
        if len(ordered) > 1:
            for name in ("auc", "spearman"):
                yield f"{mechanism}/{name}_change", float(ordered[name].iloc[-1] - ordered[name].iloc[0])
