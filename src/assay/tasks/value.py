"""Values of the rows of the training split."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from assay.config.suggest import did_you_mean
from assay.config.typed import shown
from assay.errors import InputError
from assay.runs import Outcome
from assay.statistics import detection_auc
from assay.tasks.headlines import of_values
from assay.valuation.values import COLUMNS, NOISED

if TYPE_CHECKING:
    import pandas as pd

    from assay.config.choices import Choices
    from assay.data import PreparedData
    from assay.valuation.valuator import Problem, Run, Valuator


@dataclass(frozen=True)
class Value:
    """Values every row of the train split by one valuator, and lists them with their uncertainty and cost."""

    reads_test: ClassVar[bool] = False
    publishes: ClassVar[bool] = True  # values with a statement, and nothing that was not released beside them

    columns: Literal["all"] | list[str] | None = None
    name: str = "value"

    def check(self, run: Choices) -> None:
        """Raises InputError for columns of private rows beside values that are made to be published."""
        if self.columns is not None and run.private:
            limit = "would put private cells beside values that may be published"
            raise InputError("task.columns", shown(self.columns), limit, "leave it null, and join by id")

    def answer(self, problem: Problem, valuator: Valuator, run: Run) -> Outcome:
        """Table `values`; metrics of the values, of what they cost, and, where corruption was injected, of finding it."""
        from assay.figures.values import value_figure

        train, cells = problem.data.train, self._cells(problem.data)
        with run.showing("valuing", getattr(valuator, "evaluations", None)) as watched:
            valuation = valuator.valuate(problem, watched)
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
            files={"values.csv": table if cells is None else table.merge(cells, on="id", validate="one_to_one")},
            headline=of_values("values", table, metrics, bool(valuation.statement), valuation.signs, valuator=valuator),
            ledger=valuation.ledger,
            released={"values": columns_of(table, COLUMNS)} if valuation.statement else {},
            noised={"values": columns_of(table, NOISED)} if valuation.statement else {},
            statement=valuation.statement,
            finite={"values": ("value",)},
        )

    def _cells(self, data: PreparedData) -> pd.DataFrame | None:
        """Ids of the train rows and their cells in `columns`, as they were read; InputError for an unknown column."""
        if self.columns is None:
            return None
        cells: pd.DataFrame = data.rows("train").rows.to_pandas()
        names = list(cells) if self.columns == "all" else list(self.columns)
        for name in names:
            if name not in cells:
                raise InputError(
                    "task.columns", name, "no column of the table", did_you_mean(str(name), list(map(str, cells)))
                )
        taken = {name: f"column {name}" for name in names if name in (*COLUMNS, "clean")}
        return cells[names].rename(columns=taken).assign(id=data.train.ids)


def columns_of(table: pd.DataFrame, allowed: Sequence[str]) -> tuple[str, ...]:
    """The columns of a table that are among those allowed."""
    return tuple(column for column in allowed if column in table)
