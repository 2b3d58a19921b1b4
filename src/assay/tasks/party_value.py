"""Values of the data of each party (data owner), and the search for parties that hold bad data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from assay.data.owners import Parties, parties_of
from assay.runs import Outcome
from assay.statistics import detection_auc, spearman
from assay.tasks.fields import Level
from assay.tasks.headlines import of_values
from assay.tasks.needs import check_sources, of_sources

if TYPE_CHECKING:
    import pandas as pd

    from assay.arrays import Floats
    from assay.config.choices import Choices
    from assay.valuation.valuator import Problem, Run, Valuator
    from assay.valuation.values import Values


@dataclass(frozen=True)
class PartyValue:
    """Values every source of the train split once, and lists the sources with their uncertainty and cost.

    `level` says who is protected when privacy is wanted: each record, or each client with all of its records.
    """

    reads_test: ClassVar[bool] = False

    level: Level = "record"
    name: str = "party_value"

    def check(self, run: Choices) -> None:
        """Raises InputError for a valuator without values of sources, and a mechanism without an account of them."""
        check_sources(run)

    def answer(self, problem: Problem, valuator: Valuator, run: Run) -> Outcome:
        """Table `parties`; metrics of the values, of what they cost, and, where corruption was injected, of finding it."""
        from assay.figures.values import value_figure

        parties, own = parties_of(problem.data.train), of_sources(valuator, self.level, self.name)
        with run.showing("valuing", getattr(own, "evaluations", None)) as shown:
            valuation = own.valuate(problem, shown)
        table = party_table(valuation.values, parties, problem.data.source_names)
        metrics: dict[str, float] = {
            "parties": float(len(parties)),
            "value/mean": float(valuation.values.value.mean()),
            "value/negative_share": float((valuation.values.value < 0).mean()),
            "utility_evaluations": float(valuation.utility_evaluations),
        }
        if math.isfinite(valuation.epsilon):
            metrics["epsilon"] = valuation.epsilon
        metrics |= {name: float(score) for name, score in bad_party_scores(valuation.values.value, parties).items()}
        return Outcome(
            metrics,
            {"parties": table},
            {"parties": value_figure(table, "parties")},
            files={"values.csv": table},
            headline=of_values("parties", table, metrics, valuator=valuator),
            ledger=valuation.ledger,
            finite={"parties": ("value",)},
            facts={"protected": self.level} if valuation.ledger else {},
        )


def party_table(values: Values, parties: Parties, names: tuple[str, ...]) -> pd.DataFrame:
    """Columns source, [name,] rows, value, std_error, ci_low, ci_high, evaluations and, after corruption, clean_share."""
    table = values.table().rename(columns={"id": "source"})
    table.insert(1, "rows", np.asarray(parties.sizes))
    if names:
        table.insert(1, "name", [names[source] for source in table["source"]])
    return table if parties.clean.all() else table.assign(clean_share=parties.clean_share)


def bad_party_scores(values: Floats, parties: Parties) -> dict[str, Floats]:
    """Scores of values [..., m] in the search for bad parties.

    They are the ROC-AUC of parties with a damaged row, and Spearman's correlation with the share of clean rows.
    A score that the damage does not define (no party damaged, all of them, or all alike) is left out.
    """
    scores = {}
    if 0 < parties.clean.sum() < len(parties):
        scores["auc"] = detection_auc(values, parties.clean)
    if len(np.unique(parties.clean_share)) > 1:
        scores["clean_share_spearman"] = spearman(values, parties.clean_share)
    return scores
