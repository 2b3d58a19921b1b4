"""Contributions of each client to federated training, and whether reusing its past private updates helps to estimate them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from assay.config.limits import Limit, at_least
from assay.data.owners import parties_of
from assay.runs import Outcome
from assay.statistics import mean_interval
from assay.tasks.comparison import RESEARCH, Cell, Measured, spending, with_evaluations, without_privacy
from assay.tasks.fields import AtLeastTwo, Contenders, Count, Level, Sweep
from assay.tasks.headlines import of_comparison
from assay.tasks.needs import check_owned, of_clients
from assay.tasks.party_comparison import SHOWN, PartyComparison
from assay.tasks.uncertainty import columns

if TYPE_CHECKING:
    from assay.config.choices import Choices
    from assay.valuation.valuator import Problem, Run, Valuator


@dataclass(frozen=True)
class Federated:
    """Compares contenders on the contributions of clients to federated training, for every number of rounds.

    Non-private contributions are those of the same rounds with the same participants and other orders. The global model of
    the longest training is scored once on the test split, for each contender and replicate; nothing is chosen by it.
    """

    reads_test: ClassVar[bool] = False  # it scores on the test split where there is one

    level: Level = "record"
    contenders: Contenders = ("none", "iid", "running_mean")  # type: ignore[assignment]
    evaluations: Sweep = (10, 40, 160)
    replicates: AtLeastTwo = 24
    fraction: Annotated[
        float, Limit(lambda value: 0 < value <= 1, "must be above 0 and 1 at most", "1 is every client")
    ] = 0.25
    sampling: Literal["fixed", "poisson"] = "fixed"
    participations: Annotated[int | None, at_least(1, "null sets no limit")] = None
    local_steps: Count = 1
    permutations: Count = 24
    name: str = "federated"

    def check(self, run: Choices) -> None:
        """Raises InputError for a valuator without values of clients, and a mechanism without an account of them."""
        for contender in self.contenders:
            self._of_clients(contender.valuation).check(run.of(contender))
        check_owned(run)

    def answer(self, problem: Problem, valuator: Valuator, run: Run) -> Outcome:
        """Tables summary, slopes, costs, parties and test; the same as flat metrics; a figure."""
        import pandas as pd

        from assay.figures.evaluations import uncertainty_figure
        from assay.tasks.measuring import measure

        parties, own = parties_of(problem.data.train), self._of_clients(valuator)
        plain = without_privacy(own)
        contenders = [replace(each, valuation=self._of_clients(each.valuation)) for each in self.contenders]
        for count in self.evaluations:  # a limit that cannot be met is an error before anything is trained
            with_evaluations(own, count).participation(len(parties), run.streams)
        references = [Cell(f"reference-{count}", plain, count, self.replicates) for count in self.evaluations]
        cells = [
            Cell(f"evaluations-{count}", each, count, self.replicates)
            for each in contenders
            for count in self.evaluations
        ]
        measured = measure([*references, *cells], problem, run)
        truths = {each.cell.evaluations: each.values.mean(axis=0) for each in measured[: len(references)]}
        results = measured[len(references) :]
        comparison = PartyComparison(parties, results, truths.__getitem__, run.streams)
        summary, slopes = comparison.summary(), comparison.slopes()
        metrics = comparison.metrics(summary, slopes)
        test = pd.DataFrame(self._test(problem, results))
        for line in test.to_dict("records"):
            names = [name for name in ("loss", "accuracy") if name in line]
            metrics |= {f"test/{line['contender']}/{name}": float(line[name]) for name in names}
        drawn = with_evaluations(own, max(self.evaluations)).participation(len(parties), run.streams)
        metrics |= {"participations/mean": float(drawn.counts.mean()), "participations/most": float(drawn.most)}
        ledger, _ = spending(results)
        tables = {"summary": summary, "slopes": slopes, "costs": comparison.costs(), "test": test}
        return Outcome(
            metrics,
            {**tables, "parties": comparison.table(problem.data.source_names)},
            {"estimation_uncertainty": uncertainty_figure(summary, slopes)} if len(slopes) else {},
            headline=of_comparison(tables, SHOWN, "contender"),
            ledger=ledger,
            facts={"release": RESEARCH, "protected": self.level},
        )

    def _of_clients(self, valuator: Any) -> Any:
        return of_clients(
            valuator,
            self.name,
            level=self.level,
            fraction=self.fraction,
            sampling=self.sampling,
            participations=self.participations,
            local_steps=self.local_steps,
            permutations=self.permutations,
        )

    def _test(self, problem: Problem, results: Sequence[Measured]) -> list[dict[str, Any]]:
        """Mean test loss and accuracy of the global models of the longest training, with intervals over replicates."""
        data = problem.data
        longest = [each for each in results if each.cell.evaluations == max(self.evaluations)]
        if not len(data.test):
            return []
        lines = []
        for each in longest:
            scores = each.cell.valuator.scores(each.extras["final"], problem, data.test)
            intervals = {name: mean_interval(samples) for name, samples in scores.items()}
            lines.append(each.cell.key | columns(intervals))
        return lines
