"""What is each row of the training split worth?"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from assay.runs import Outcome
from assay.runs.directory import write_atomically
from assay.statistics import detection_auc
from assay.tasks.study import Study

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Value:
    """Values every row of the train split by one valuator, and lists them with their uncertainty and cost."""

    reads_test: ClassVar[bool] = False

    name: str = "value"

    def answer(self, study: Study) -> Outcome:
        """Table `values`; metrics of the values, of what they cost, and, where corruption was injected, of finding it."""
        from assay.figures.values import value_figure

        context, train = study.context, study.data.train
        with context.progress.task("valuing", study.valuator.evaluations) as bar:
            run = replace(study.run, advance=bar.advance)
            found = study.valuator.valuate(study.problem(), run)
        table = found.values.table()
        metrics: dict[str, float] = {
            "rows": float(len(train)),
            "value/mean": float(found.values.value.mean()),
            "value/negative_share": float((found.values.value < 0).mean()),
            "utility_evaluations": float(found.utility_evaluations),
            "model_fits": float(found.model_fits),
        }
        metrics |= found.facts
        if math.isfinite(found.epsilon):
            metrics["epsilon"] = found.epsilon
        mixed = train.clean.any() and not train.clean.all()  # else there is nothing to tell apart
        if mixed and not found.statement:  # the truth is no part of a publication
            metrics["label_noise/auc"] = float(detection_auc(found.values.value, train.clean))
            table = table.assign(clean=train.clean[train.ids.argsort(kind="stable")])
        write_atomically(context.directory / "values.csv", table.to_csv(index=False).encode())
        write_ledger(study, found.ledger)
        if found.statement:
            secure = study.row_privacy().secure_noise  # what repeats with the seed must not be taken for a release
            write_release(context.directory / ("release" if secure else "rehearsal"), table, found.statement)
            context.record(statement=list(found.statement))
        if found.ledger:
            context.record(epsilon=found.epsilon)
        return Outcome(metrics, {"values": table}, {"values": value_figure(found.values)})


def write_release(folder: Path, table: pd.DataFrame, statement: Sequence[str]) -> None:
    """The files that may be published: values.csv and what they mean."""
    folder.mkdir(exist_ok=True)
    write_atomically(folder / "values.csv", table.to_csv(index=False).encode())
    lines = "".join(f"* {sentence}\n" for sentence in statement)
    write_atomically(folder / "STATEMENT.md", f"# What these values mean\n\n{lines}".encode())


def write_ledger(study: Study, entries: list[dict[str, Any]]) -> None:
    """Keeps the ledger's record in the run directory, if there is one."""
    if entries:
        lines = "".join(json.dumps(entry, sort_keys=True) + "\n" for entry in entries)
        write_atomically(study.context.directory / "ledger.jsonl", lines.encode())
