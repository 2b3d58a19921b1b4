"""Contenders compared on the values of parties, over replicates and numbers of evaluations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.data.owners import Parties
from assay.statistics import mean_interval, spearman
from assay.tasks.comparison import Measured, cost_rows
from assay.tasks.party_value import bad_party_scores, party_table
from assay.tasks.uncertainty import Spread, columns, slope_table, spread_of
from assay.valuation.values import Values

if TYPE_CHECKING:
    import pandas as pd

    from assay.arrays import Floats
    from assay.runs import Streams

SCORES = ("estimation_uncertainty", "spearman", "auc", "clean_share_spearman")
SHOWN = ("contender", "evaluations", *SCORES, "epsilon", "seconds")


@dataclass(frozen=True, eq=False)
class PartyComparison:
    """Measured cells against the non-private values `truth(evaluations)` [m]: tables and metrics."""

    parties: Parties
    results: Sequence[Measured]
    truth: Callable[[int], Floats]
    streams: Streams

    @cached_property
    def _spreads(self) -> list[Spread]:
        return [spread_of(result, self.streams) for result in self.results]

    def summary(self) -> pd.DataFrame:
        """One line a cell: each score with its 95 % interval over replicates, epsilon and touches."""
        import pandas as pd

        rows = [self._row(result, spread) for result, spread in zip(self.results, self._spreads, strict=True)]
        return pd.DataFrame(rows)

    def _row(self, result: Measured, spread: Spread) -> dict[str, Any]:
        samples = self._fidelity(result)
        scores = {SCORES[0]: spread[0]} | {name: mean_interval(each) for name, each in samples.items()}
        touches = {"touches_least": int(result.touches.min()), "touches_most": int(result.touches.max())}
        return result.cell.key | columns(scores) | {"epsilon": result.shown_epsilon} | touches

    def _fidelity(self, result: Measured) -> dict[str, Floats]:
        truth = self.truth(result.cell.evaluations)
        return {"spearman": spearman(result.values, truth), **bad_party_scores(result.values, self.parties)}

    def slopes(self) -> pd.DataFrame:
        """Log-log slope of the estimation uncertainty on the evaluations, with a bootstrap interval over replicates."""
        return slope_table(self.results, self._spreads)

    def gains(self) -> dict[str, float]:
        """By how much the scores of reused releases exceed those of independent noise, with the paired interval.

        Contenders share permutations and noise replicate by replicate at the same number of evaluations, so that the
        difference is taken in pairs; the first contender with independent noise is the one compared with.
        """
        plain = {each.cell.evaluations: each for each in self._independent()}
        metrics: dict[str, float] = {}
        for result in self.results:
            count = result.cell.evaluations
            if not result.cell.contender.privacy.reuses or count not in plain:
                continue
            prefix = f"{result.cell.contender.name}/{count}"
            ours, theirs = self._fidelity(result), self._fidelity(plain[count])
            for name in ours:
                interval = mean_interval(ours[name] - theirs[name])
                metrics[f"{prefix}/{name}_gain"] = interval.estimate
                metrics[f"{prefix}/{name}_gain_low"] = interval.low
        return metrics

    def _independent(self) -> list[Measured]:
        plain = [each for each in self.results if _is_independent(each)]
        return [each for each in plain if each.cell.contender.name == plain[0].cell.contender.name]

    def metrics(self, summary: pd.DataFrame, slopes: pd.DataFrame) -> dict[str, float]:
        """Flat metrics contender/evaluations/score, contender/slope, and the gains over independent noise."""
        metrics: dict[str, float] = {"parties": float(len(self.parties))}
        for row in summary.to_dict("records"):
            for column in (*SCORES, "epsilon"):
                if column in row and np.isfinite(row[column]):
                    metrics[f"{row['contender']}/{row['evaluations']}/{column}"] = float(row[column])
        for line in slopes.to_dict("records"):
            metrics[f"{line['contender']}/slope"] = float(line["slope"])
        spent = [result.epsilon for result in self.results]
        return {**metrics, **self.gains(), "epsilon_per_estimate": max(spent, default=0.0)}

    def costs(self) -> pd.DataFrame:
        """Seconds of each cell."""
        import pandas as pd

        return pd.DataFrame(cost_rows(self.results))

    def table(self, names: tuple[str, ...]) -> pd.DataFrame:
        """Each party at the most evaluations: mean value over replicates with its standard error, and the non-private one."""
        import pandas as pd

        most, parts = max(each.cell.evaluations for each in self.results), []
        for each in self.results:
            if each.cell.evaluations == most:
                values = each.values
                error = values.std(axis=0, ddof=1) / len(values) ** 0.5
                counts = each.evaluations.sum(axis=0)
                mean = Values(self.parties.source, values.mean(axis=0), error, counts, len(values) - 1)
                line = party_table(mean, self.parties, names)
                parts.append(line.assign(contender=each.cell.contender.name, non_private_value=self.truth(most)))
        return pd.concat(parts, ignore_index=True)


def _is_independent(result: Measured) -> bool:
    privacy = result.cell.contender.privacy
    return privacy.private and not privacy.reuses and not privacy.one_release
