"""The value of each row to a data set of k rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from assay.runs import Outcome
from assay.statistics import detection_auc, spearman
from assay.tasks.fields import Count
from assay.tasks.headlines import of_values
from assay.tasks.needs import check_laws
from assay.tasks.scaling import check_at_one_size
from assay.valuation.values import Values

if TYPE_CHECKING:
    from assay.config.choices import Choices
    from assay.valuation.valuator import Problem, Run


@dataclass(frozen=True)
class ValueAt:
    """Values every row of the train split by what it adds to `k` others, read off its scaling law."""

    reads_test: ClassVar[bool] = False

    k: Count = 1000
    name: str = "value_at"

    def check(self, run: Choices) -> None:
        """Raises InputError for a valuation without laws, and an estimator that has none at sizes not sampled."""
        check_laws(run)
        check_at_one_size(run)

    def answer(self, problem: Problem, valuator: Any, run: Run) -> Outcome:
        """Table `values` with the law of each row; metrics of how the order depends on k."""
        from assay.figures.values import value_figure

        train = problem.data.train
        with run.showing("sampling contributions", valuator.evaluations) as shown:
            fitted = valuator.laws(problem, shown)
        smallest, largest = fitted.sizes.smallest, fitted.sizes.largest
        sizes = [smallest, self.k, largest]
        predicted = fitted.laws.at(np.asarray(sizes))
        evaluations = np.full(len(train), valuator.evaluations)
        values = Values(train.ids, predicted.mean[:, 1], predicted.std_error[:, 1], evaluations, predicted.freedom)
        table = values.table()
        order = train.ids.argsort(kind="stable")
        table = table.assign(**{name: column[order] for name, column in fitted.laws.parameters().items()})
        table = table.assign(rank=table["value"].rank(ascending=False, method="first").astype(int))
        metrics = {
            "rows": float(len(train)),
            "k": float(self.k),
            "value/mean": float(values.value.mean()),
            "value/negative_share": float((values.value < 0).mean()),
            "spearman/with_smallest": float(spearman(predicted.mean[:, 1], predicted.mean[:, 0])),
            "spearman/with_largest": float(spearman(predicted.mean[:, 1], predicted.mean[:, 2])),
            "extrapolated": float(not smallest <= self.k <= largest),
            "model_fits": float(fitted.fits),
            "refits": float(fitted.fallbacks),
        }
        if train.clean.any() and not train.clean.all():  # with no clean row there is nothing to find
            metrics["label_noise/auc"] = float(detection_auc(values.value, train.clean))
            table = table.assign(clean=train.clean[order])
        return Outcome(
            metrics,
            {"values": table},
            {"values": value_figure(table, f"rows, joining {self.k} others")},
            files={"values.csv": table},
            headline=of_values("values", table, metrics, valuator=valuator),
            finite={"values": ("value",)},
        )
