"""What is the data of each party (data owner) worth, and which parties hold bad data?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from assay.data.owners import Parties, parties_of
from assay.runs import Outcome
from assay.statistics import detection_auc, spearman
from assay.tasks.fields import Level
from assay.tasks.headlines import of_values
from assay.tasks.study import Study, gradient_valuator
from assay.valuation.values import Values

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True)
class PartyValue:
    """Values every source of the train split once, and lists the sources with their uncertainty and cost.

    `level` says who is protected when privacy is wanted: each record, or each client with all of its records.
    """

    reads_test: ClassVar[bool] = False

    level: Level = "record"
    name: str = "party_value"

    def answer(self, study: Study) -> Outcome:
        """Table `parties`; metrics of the values, of what they cost, and, where corruption was injected, of finding it."""
        from assay.figures.values import value_figure
        from assay.valuation.gradient.party_semivalue import PartySemivalue

        context, parties = study.context, parties_of(study.data.train)
        valuator = PartySemivalue.of(gradient_valuator(study, self.name), level=self.level)
        with context.progress.task("valuing", valuator.evaluations) as bar:
            run = replace(study.run, advance=bar.advance)
            found = valuator.valuate(study.problem(), run)
        table = party_table(found.values, parties, study.data.source_names)
        metrics: dict[str, float] = {
            "parties": float(len(parties)),
            "value/mean": float(found.values.value.mean()),
            "value/negative_share": float((found.values.value < 0).mean()),
            "utility_evaluations": float(found.utility_evaluations),
        }
        if math.isfinite(found.epsilon):
            metrics["epsilon"] = found.epsilon
        metrics |= {name: float(score) for name, score in bad_party_scores(found.values.value, parties).items()}
        return Outcome(
            metrics,
            {"parties": table},
            {"parties": value_figure(found.values, "parties")},
            files={"values.csv": table},
            headline=of_values("parties", table, metrics),
            ledger=found.ledger,
            finite={"parties": ("value",)},
            facts={"protected": self.level} if found.ledger else {},
        )


def party_table(values: Values, parties: Parties, names: tuple[str, ...]) -> pd.DataFrame:
    """Columns source, [name,] rows, value, std_error, ci_low, ci_high, evaluations and, after corruption, clean_share."""
    table = values.table().rename(columns={"id": "source"})
    table.insert(1, "rows", np.asarray(parties.sizes))
    if names:
        table.insert(1, "name", [names[source] for source in table["source"]])
    return table if parties.clean.all() else table.assign(clean_share=parties.clean_share)


def bad_party_scores(values: NDArray[np.float64], parties: Parties) -> dict[str, NDArray[np.float64]]:
    """How well values [..., m] tell bad parties: ROC-AUC of those with a damaged row, Spearman with the share of clean rows.

    A score that the damage does not define (no party damaged, all of them, or all alike) is left out.
    """
    scores = {}
    if 0 < parties.clean.sum() < len(parties):
        scores["auc"] = detection_auc(values, parties.clean)
    if len(np.unique(parties.clean_share)) > 1:
        scores["clean_share_spearman"] = spearman(values, parties.clean_share)
    return scores
