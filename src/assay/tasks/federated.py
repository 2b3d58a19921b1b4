"""What does each client contribute to federated training, and does reusing its past private updates help to tell?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np

from assay.config.limits import Limit, at_least, not_empty
from assay.data.owners import parties_of
from assay.runs import Outcome
from assay.statistics import mean_interval
from assay.tasks.cells import RESEARCH, Cell, measure_cells, other_mechanism, spending
from assay.tasks.fields import AtLeastTwo, Count, Level, Sweep
from assay.tasks.headlines import of_comparison
from assay.tasks.party_comparison import SCORES, PartyComparison
from assay.tasks.study import Study, gradient_valuator

SHOWN = ("mechanism", "evaluations", *SCORES, "epsilon", "seconds")


@dataclass(frozen=True)
class Federated:
    """Compares mechanisms on the contributions of clients to federated training, for every number of rounds.

    Non-private contributions are those of the same rounds with the same participants and other orders. The global model of
    the longest training is scored once on the test split, for each mechanism and replicate; nothing is chosen by it.
    """

    reads_test: ClassVar[bool] = False  # it scores on the test split where there is one

    level: Level = "record"
    mechanisms: Annotated[list[str], not_empty("e.g. [none,iid]")] = field(
        default_factory=lambda: ["none", "iid", "running_mean"]
    )
    evaluations: Sweep = field(default_factory=lambda: [10, 40, 160])
    replicates: AtLeastTwo = 24
    fraction: Annotated[
        float, Limit(lambda value: 0 < value <= 1, "must be above 0 and 1 at most", "1 is every client")
    ] = 0.25
    sampling: Literal["fixed", "poisson"] = "fixed"
    participations: Annotated[int | None, at_least(1, "null sets no limit")] = None
    local_steps: Count = 1
    permutations: Count = 24
    name: str = "federated"

    def answer(self, study: Study) -> Outcome:
        """Tables summary, slopes, costs, parties and test; the same as flat metrics; a figure."""
        import pandas as pd

        from assay.figures.values import uncertainty_figure
        from assay.valuation.gradient.federated import FederatedShapley

        parties, privacy, streams = parties_of(study.data.train), study.row_privacy(), study.context.streams
        valuator = FederatedShapley.of(
            gradient_valuator(study, self.name),
            level=self.level,
            fraction=self.fraction,
            sampling=self.sampling,
            participations=self.participations,
            local_steps=self.local_steps,
            permutations=self.permutations,
        )
        plain = other_mechanism(privacy, "none")
        references = [Cell(f"reference-{count}", plain, count, self.replicates) for count in self.evaluations]
        cells = [
            Cell(f"evaluations-{count}", other_mechanism(privacy, name), count, self.replicates)
            for name in self.mechanisms
            for count in self.evaluations
        ]
        for count in self.evaluations:  # a limit that cannot be kept is told before anything is trained
            replace(valuator, evaluations=count).participation(len(parties), streams)
        found = measure_cells(study, valuator, [*references, *cells])
        truths = {c.evaluations: r["values"].mean(axis=0) for c, r in zip(references, found, strict=False)}
        measured = found[len(references) :]
        comparison = PartyComparison(parties, cells, measured, truths.__getitem__, streams)
        summary, slopes = comparison.summary(), comparison.slopes()
        metrics = comparison.metrics(summary, slopes)
        test = pd.DataFrame(self._test(study, cells, measured))
        for line in test.to_dict("records"):
            metrics |= {
                f"test/{line['mechanism']}/{score}": float(line[score])
                for score in ("loss", "accuracy")
                if score in line
            }
        drawn = replace(valuator, evaluations=max(self.evaluations)).participation(len(parties), streams)
        metrics |= {"participations/mean": float(drawn.counts.mean()), "participations/most": float(drawn.most)}
        ledger, _ = spending(measured)
        tables = {"summary": summary, "slopes": slopes, "costs": comparison.costs(), "test": test}
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

    def _test(self, study: Study, cells: Sequence[Cell], found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Mean test loss and accuracy of the global models of the longest training, with intervals over replicates."""
        import torch

        from assay.learning.models import Shape
        from assay.valuation.gradient.estimates import rows_of

        data = study.data
        if not len(data.test):
            return []
        model = study.model.replicated(Shape.of(data))
        rows, lines = rows_of(data.test, torch.float64), []
        for cell, result in zip(cells, found, strict=True):
            if cell.evaluations == max(self.evaluations):
                outputs = model.outputs(torch.from_numpy(np.asarray(result["final"])), rows.features)
                scores = {"loss": model.head.loss(outputs, rows.target)}
                if data.kind == "classification":
                    scores["accuracy"] = model.head.correct(outputs, rows.target)
                line: dict[str, Any] = {"mechanism": cell.privacy.name, "evaluations": cell.evaluations}
                for name, each in scores.items():
                    interval = mean_interval(each.mean(-1).numpy())
                    line |= {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
                lines.append(line)
        return lines
