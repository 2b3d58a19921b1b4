"""Values of the rows of the training split."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from assay.runs import Outcome
from assay.statistics import detection_auc
from assay.tasks.headlines import of_values

if TYPE_CHECKING:
    from assay.valuation.valuator import Problem, Run, Valuator

RELEASED = ("id", "value", "std_error", "ci_low", "ci_high", "evaluations")
NOISED = ("value", "std_error", "ci_low", "ci_high")


@dataclass(frozen=True)
class Value:
    """Values every row of the train split by one valuator, and lists them with their uncertainty and cost."""

    reads_test: ClassVar[bool] = False
    publishes: ClassVar[bool] = True  # values with a statement, and nothing that was not released beside them

    name: str = "value"

    def answer(self, problem: Problem, valuator: Valuator, run: Run) -> Outcome:
        """Table `values`; metrics of the values, of what they cost, and, where corruption was injected, of finding it."""
        from assay.figures.values import value_figure

        train = problem.data.train
        with run.showing("valuing", getattr(valuator, "evaluations", None)) as shown:
            valuation = valuator.valuate(problem, shown)
        table = valuation.values.table()
        metrics: dict[str, float] = {
            "rows": float(len(train)),
            "value/mean": float(valuation.values.value.mean()),
            "value/negative_share": float((valuation.values.value < 0).mean()),
            "utility_evaluations": float(valuation.utility_evaluations),
            "model_fits": float(valuation.model_fits),
        }
        metrics |= valuation.facts
        if math.isfinite(valuation.epsilon):
            metrics["epsilon"] = valuation.epsilon
        mixed = train.clean.any() and not train.clean.all()  # else there is nothing to find
        if mixed and not valuation.statement:  # the truth is no part of a publication
            metrics["label_noise/auc"] = float(detection_auc(valuation.values.value, train.clean))
            table = table.assign(clean=train.clean[train.ids.argsort(kind="stable")])
        return Outcome(
            metrics,
            {"values": table},
            {"values": value_figure(table)},
            files={"values.csv": table},
            headline=of_values("values", table, metrics, bool(valuation.statement)),
            ledger=valuation.ledger,
            released={"values": RELEASED} if valuation.statement else {},
            noised={"values": NOISED} if valuation.statement else {},
            statement=valuation.statement,
            finite={"values": ("value",)},
        )
