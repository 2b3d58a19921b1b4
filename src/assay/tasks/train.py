"""Quality of the model trained on the whole training split, with or without privacy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from assay.errors import InputError
from assay.privacy.releases import Releases
from assay.runs import Outcome
from assay.tasks.needs import check_test_split, check_trains
from assay.tasks.recipe import Recipe

if TYPE_CHECKING:
    from assay.config.choices import Choices
    from assay.valuation.valuator import Problem, Run, Valuator


@dataclass(frozen=True)
class Train(Recipe):
    """Trains a network on Poisson batches of the train split, and scores it once on the test split.

    With noise on the batches' sums it is calibrated to the steps that the epochs come to, and every step is charged to the
    ledger before it is made. Without privacy the same batches are trained on as they are.
    """

    reads_test: ClassVar[bool] = True
    accounts_for: ClassVar[frozenset[Releases]] = frozenset({Releases.BATCH_SUM})

    statistics: bool = False
    name: str = "train"

    def answer(self, problem: Problem, valuator: Valuator, run: Run) -> Outcome:
        """Metrics of the test split and of the account; table `curve` on the valid split; its figure."""
        from assay.tasks.training import trained

        return trained(self, problem, run, self.statistics)

    def check(self, run: Choices) -> None:
        """Raises InputError for a model without gradients, no test rows, and statistics of rows beside privacy or in parts."""
        check_trains(run)
        check_test_split(run)
        if self.statistics and (run.privacy.private or self.parts != 1):
            limit = "reads single rows outside the account, and needs a step for each batch"
            raise InputError("task.statistics", "true", limit, "use privacy=none and task.parts=1")
