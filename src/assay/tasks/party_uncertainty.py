"""Uncertainty, rank fidelity and the search for bad parties by number of evaluations, at a fixed budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from assay.data.owners import parties_of
from assay.runs import Outcome
from assay.tasks.comparison import RESEARCH, reference_cell, spending, swept_cells
from assay.tasks.fields import AtLeastTwo, Contenders, Evaluations, Level, Sweep
from assay.tasks.headlines import of_comparison
from assay.tasks.needs import check_sources, contenders_of_sources, of_sources
from assay.tasks.party_comparison import SHOWN, PartyComparison

if TYPE_CHECKING:
    from assay.config.choices import Choices
    from assay.valuation.valuator import Problem, Run, Valuator


@dataclass(frozen=True)
class PartyUncertainty:
    """Compares contenders on the values of parties at every number of evaluations, over replicates.

    The same question as task=estimation_uncertainty with parties in the place of rows (2412.17008, data set valuation as
    reconstructed); `level` says who is protected: each record, or each client with all of its records.
    """

    reads_test: ClassVar[bool] = False

    level: Level = "record"
    contenders: Contenders = ("none", "iid", "running_mean", "running_mean_burn_in")  # type: ignore[assignment]
    evaluations: Sweep = (10, 40, 160)
    replicates: AtLeastTwo = 24
    reference_evaluations: Evaluations = 1200
    name: str = "party_uncertainty"

    def check(self, run: Choices) -> None:
        """Raises InputError for a valuator without values of sources, and a mechanism without an account of them."""
        check_sources(run)

    def answer(self, problem: Problem, valuator: Valuator, run: Run) -> Outcome:
        """Tables summary, slopes, costs and parties; the same as flat metrics; a figure."""
        from assay.figures.evaluations import uncertainty_figure
        from assay.tasks.measuring import measure

        parties = parties_of(problem.data.train)
        contenders = contenders_of_sources(self.contenders, self.level, self.name)
        cells = swept_cells(contenders, self.evaluations, self.replicates)
        own = of_sources(valuator, self.level, self.name)
        first = reference_cell(own, self.reference_evaluations, self.replicates)
        reference, *results = measure([first, *cells], problem, run)
        truth = reference.values.mean(axis=0)
        comparison = PartyComparison(parties, results, lambda evaluations: truth, run.streams)
        summary, slopes = comparison.summary(), comparison.slopes()
        ledger, _ = spending(results)
        tables = {"summary": summary, "slopes": slopes, "costs": comparison.costs()}
        return Outcome(
            comparison.metrics(summary, slopes),
            {**tables, "parties": comparison.table(problem.data.source_names)},
            {"estimation_uncertainty": uncertainty_figure(summary, slopes)} if len(slopes) else {},
            headline=of_comparison(tables, SHOWN, "contender"),
            ledger=ledger,
            facts={"release": RESEARCH, "protected": self.level},
        )
