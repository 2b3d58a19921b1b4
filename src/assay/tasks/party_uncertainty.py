"""How do uncertainty, rank fidelity and the search for bad parties move with evaluations, at a fixed budget?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from assay.config.limits import not_empty
from assay.data.owners import parties_of
from assay.runs import Outcome
from assay.tasks.cells import RESEARCH, measure_cells, reference_cell, spending, swept_cells
from assay.tasks.fields import AtLeastTwo, Evaluations, Level, Sweep
from assay.tasks.headlines import of_comparison
from assay.tasks.party_comparison import SCORES, PartyComparison
from assay.tasks.study import Study, gradient_valuator

SHOWN = ("mechanism", "evaluations", *SCORES, "epsilon", "seconds")


@dataclass(frozen=True)
class PartyUncertainty:
    """Compares mechanisms on the values of parties at every number of evaluations, over replicates.

    The same question as task=estimation_uncertainty with parties in the place of rows (2412.17008, data set valuation as
    reconstructed); `level` says who is protected: each record, or each client with all of its records.
    """

    reads_test: ClassVar[bool] = False

    level: Level = "record"
    mechanisms: Annotated[list[str], not_empty("e.g. [none,iid]")] = field(
        default_factory=lambda: ["none", "iid", "running_mean", "running_mean_burn_in"]
    )
    evaluations: Sweep = field(default_factory=lambda: [10, 40, 160])
    replicates: AtLeastTwo = 24
    reference_evaluations: Evaluations = 1200
    name: str = "party_uncertainty"

    def answer(self, study: Study) -> Outcome:
        """Tables summary, slopes, costs and parties; the same as flat metrics; a figure."""
        from assay.figures.values import uncertainty_figure
        from assay.valuation.gradient.party_semivalue import PartySemivalue

        parties, privacy = parties_of(study.data.train), study.row_privacy()
        valuator = PartySemivalue.of(gradient_valuator(study, self.name), level=self.level)
        cells = swept_cells(privacy, self.mechanisms, self.evaluations, self.replicates)
        first = reference_cell(privacy, self.reference_evaluations, self.replicates)
        reference, *found = measure_cells(study, valuator, [first, *cells])
        truth = reference["values"].mean(axis=0)
        comparison = PartyComparison(parties, cells, found, lambda evaluations: truth, study.context.streams)
        summary, slopes = comparison.summary(), comparison.slopes()
        metrics = comparison.metrics(summary, slopes)
        ledger, _ = spending(found)
        tables = {"summary": summary, "slopes": slopes, "costs": comparison.costs()}
        tables["parties"] = comparison.table(study.data.source_names)
        figures = {"estimation_uncertainty": uncertainty_figure(summary, slopes)} if len(slopes) else {}
        return Outcome(
            metrics,
            tables,
            figures,
            headline=of_comparison(tables, SHOWN, "mechanism"),
            ledger=ledger,
            facts={"release": RESEARCH, "protected": self.level},
        )
