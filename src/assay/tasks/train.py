"""How good is the model trained on the whole training split, with or without privacy?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from assay.config.limits import above, share
from assay.runs import Outcome
from assay.tasks.fields import Count
from assay.tasks.study import Study

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Train:
    """Trains a network on Poisson batches of the train split, and scores it once on the test split.

    With noise on the batches' sums it is calibrated to the steps that the epochs come to, and every step is charged to the
    ledger before it is made. Without privacy the same batches are trained on as they are.
    """

    reads_test: ClassVar[bool] = True

    epochs: Annotated[float, above(0, "e.g. 10")] = 10.0
    batch_size: Count = 256
    optimizer: Literal["sgd", "adam"] = "sgd"
    learning_rate: Annotated[float, above(0, "e.g. 0.05")] = 0.5
    momentum: Annotated[float, share("0.3 is 30 %")] = 0.0
    parts: Count = 1
    statistics: bool = False
    name: str = "train"

    def answer(self, study: Study) -> Outcome:
        """Metrics of the test split and of the account; table `curve` on the valid split; its figure."""
        from assay.tasks.training import trained

        return trained(self, study)
