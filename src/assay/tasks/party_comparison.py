"""Mechanisms compared on the values of parties, over replicates and numbers of evaluations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from assay.data.owners import Parties
from assay.statistics import bootstrap_indices, log_log_slope, mean_interval, percentile_interval, spearman
from assay.tasks.cells import Cell
from assay.tasks.estimation_uncertainty import DRAWS, uncertainty_of
from assay.tasks.party_value import bad_party_scores, party_table
from assay.valuation.values import Values

if TYPE_CHECKING:
    import pandas as pd

    from assay.runs.streams import Streams

SCORES = ("estimation_uncertainty", "spearman", "auc", "clean_share_spearman")
Result = Mapping[str, Any]
Truth = Callable[[int], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class PartyComparison:
    """Measured cells against the non-private values `truth(evaluations)` [m]; tables and metrics of what came out."""

    parties: Parties
    cells: Sequence[Cell]
    found: Sequence[Result]
    truth: Truth
    streams: Streams

    def summary(self) -> pd.DataFrame:
        """One line a cell: each score with its 95 % interval over replicates, epsilon and touches."""
        import pandas as pd

        return pd.DataFrame([self._row(cell, result) for cell, result in zip(self.cells, self.found, strict=True)])

    def _row(self, cell: Cell, result: Result) -> dict[str, Any]:
        values = result["values"]
        row: dict[str, Any] = {"mechanism": cell.privacy.name, "evaluations": cell.evaluations}
        uncertainty, _ = uncertainty_of(values, self._draws(cell))
        samples = {"spearman": spearman(values, self.truth(cell.evaluations)), **bad_party_scores(values, self.parties)}
        scores = {SCORES[0]: uncertainty} | {name: mean_interval(each) for name, each in samples.items()}
        for column, interval in scores.items():
            row |= {column: interval.estimate, f"{column}_low": interval.low, f"{column}_high": interval.high}
        row["epsilon"] = float(result["epsilon"]) if cell.privacy.private else float("inf")
        row["touches_least"], row["touches_most"] = int(result["touches"].min()), int(result["touches"].max())
        return row

    def _draws(self, cell: Cell) -> NDArray[np.int64]:
        """Resamples of the replicates, the same for mechanisms that share noise."""
        generator = self.streams.generator("bootstrap", cell.evaluations)
        return bootstrap_indices(cell.replicates, DRAWS, generator)

    def slopes(self) -> pd.DataFrame:
        """Log-log slope of the estimation uncertainty on the evaluations, with a bootstrap interval over replicates."""
        import pandas as pd

        lines = []
        for name in dict.fromkeys(cell.privacy.name for cell in self.cells):
            chosen = [(c, r) for c, r in zip(self.cells, self.found, strict=True) if c.privacy.name == name]
            spread = [uncertainty_of(result["values"], self._draws(cell)) for cell, result in chosen]
            positions = [cell.evaluations for cell, _ in chosen]
            if len(positions) < 2 or min(interval.estimate for interval, _ in spread) <= 0:
                continue  # one point has no slope, and values that never move have no logarithm
            estimate = float(log_log_slope(positions, [interval.estimate for interval, _ in spread]))
            drawn = log_log_slope(positions, np.stack([draws for _, draws in spread], axis=-1))
            interval = percentile_interval(estimate, drawn)
            lines.append({"mechanism": name, "slope": estimate, "slope_low": interval.low, "slope_high": interval.high})
        return pd.DataFrame(lines, columns=["mechanism", "slope", "slope_low", "slope_high"])

    def gains(self) -> dict[str, float]:
        """By how much a mechanism's scores exceed those of i.i.d. noise at the same evaluations, with the paired interval.

        Mechanisms share permutations and noise replicate by replicate, so that the difference is taken in pairs.
        """
        plain = {
            c.evaluations: r["values"] for c, r in zip(self.cells, self.found, strict=True) if c.privacy.name == "iid"
        }
        metrics: dict[str, float] = {}
        for cell, result in zip(self.cells, self.found, strict=True):
            if not cell.privacy.reuses or cell.evaluations not in plain:
                continue
            prefix = f"{cell.privacy.name}/{cell.evaluations}"
            ours, theirs = (self._fidelity(cell, values) for values in (result["values"], plain[cell.evaluations]))
            for name in ours:
                interval = mean_interval(ours[name] - theirs[name])
                metrics[f"{prefix}/{name}_gain"] = interval.estimate
                metrics[f"{prefix}/{name}_gain_low"] = interval.low
        return metrics

    def _fidelity(self, cell: Cell, values: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        return {"spearman": spearman(values, self.truth(cell.evaluations)), **bad_party_scores(values, self.parties)}

    def metrics(self, summary: pd.DataFrame, slopes: pd.DataFrame) -> dict[str, float]:
        """Flat metrics mechanism/evaluations/score, mechanism/slope, and the gains over i.i.d. noise."""
        metrics: dict[str, float] = {"parties": float(len(self.parties))}
        for row in summary.to_dict("records"):
            for column in (*SCORES, "epsilon"):
                if column in row and np.isfinite(row[column]):
                    metrics[f"{row['mechanism']}/{row['evaluations']}/{column}"] = float(row[column])
        for line in slopes.to_dict("records"):
            metrics[f"{line['mechanism']}/slope"] = float(line["slope"])
        spent = [float(result["epsilon"]) for result in self.found]
        return {**metrics, **self.gains(), "epsilon_per_estimate": max(spent, default=0.0)}

    def costs(self) -> pd.DataFrame:
        """Seconds of each cell."""
        import pandas as pd

        lines = [
            {"mechanism": cell.privacy.name, "evaluations": cell.evaluations}
            | {name: float(result[name]) for name in ("seconds", "cpu_seconds")}
            for cell, result in zip(self.cells, self.found, strict=True)
        ]
        return pd.DataFrame(lines)

    def table(self, names: tuple[str, ...]) -> pd.DataFrame:
        """Each party at the most evaluations: mean value over replicates with its standard error, and the non-private one."""
        import pandas as pd

        most, parts = max(cell.evaluations for cell in self.cells), []
        for cell, result in zip(self.cells, self.found, strict=True):
            if cell.evaluations == most:
                values = result["values"]
                error = values.std(axis=0, ddof=1) / len(values) ** 0.5
                counts = result["evaluations"].sum(axis=0)
                mean = Values(self.parties.source, values.mean(axis=0), error, counts, len(values) - 1)
                line = party_table(mean, self.parties, names)
                parts.append(line.assign(mechanism=cell.privacy.name, non_private_value=self.truth(most)))
        return pd.concat(parts, ignore_index=True)
