"""What is each row worth to a data set of k rows?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from assay.errors import InputError
from assay.runs import Outcome
from assay.statistics import detection_auc, spearman
from assay.tasks.fields import Count
from assay.tasks.headlines import of_values
from assay.tasks.study import Study
from assay.valuation.values import Values


@dataclass(frozen=True)
class ValueAt:
    """Values every row of the train split by what it adds to `k` others, read off its scaling law."""

    reads_test: ClassVar[bool] = False

    k: Count = 1000
    name: str = "value_at"

    def answer(self, study: Study) -> Outcome:
        """Table `values` with the law of each row; metrics of how the order depends on k."""
        from assay.figures.values import value_figure
        from assay.tasks.scaling import scaling_valuator

        valuator, context, train = scaling_valuator(study, self.name), study.context, study.data.train
        if self.k < 1:
            raise InputError("task.k", self.k, "must be >= 1", "how many rows the data set has without the row")
        with context.progress.task("sampling contributions", valuator.evaluations) as bar:
            run = replace(study.run, advance=bar.advance)
            found = valuator.laws(study.problem(), run)
        sizes = [valuator.smallest, self.k, valuator.largest]
        predicted = found.laws.at(np.asarray(sizes))
        evaluations = np.full(len(train), valuator.evaluations)
        values = Values(train.ids, predicted.mean[:, 1], predicted.std_error[:, 1], evaluations, predicted.freedom)
        table = values.table()
        order = train.ids.argsort(kind="stable")
        table = table.assign(**{name: held[order] for name, held in found.laws.parameters().items()})
        table = table.assign(rank=table["value"].rank(ascending=False, method="first").astype(int))
        metrics = {
            "rows": float(len(train)),
            "k": float(self.k),
            "value/mean": float(values.value.mean()),
            "value/negative_share": float((values.value < 0).mean()),
            "spearman/with_smallest": float(spearman(predicted.mean[:, 1], predicted.mean[:, 0])),
            "spearman/with_largest": float(spearman(predicted.mean[:, 1], predicted.mean[:, 2])),
            "extrapolated": float(not valuator.smallest <= self.k <= valuator.largest),
            "model_fits": float(found.fits),
            "refits": float(found.fallbacks),
        }
        if train.clean.any() and not train.clean.all():  # with no clean row there is nothing to tell apart
            metrics["label_noise/auc"] = float(detection_auc(values.value, train.clean))
            table = table.assign(clean=train.clean[order])
        return Outcome(
            metrics,
            {"values": table},
            {"values": value_figure(values, f"rows, joining {self.k} others")},
            files={"values.csv": table},
            headline=of_values("values", table, metrics),
            finite={"values": ("value",)},
        )
