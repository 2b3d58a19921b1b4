"""Base class of mechanisms that add noise to sums over batches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from assay.config.limits import at_least
from assay.privacy.option import Budgeted
from assay.privacy.relations import Relation
from assay.privacy.releases import Releases

if TYPE_CHECKING:
    from assay.privacy.plan import TrainingPlan


@dataclass(frozen=True)
class BatchSums(Budgeted):
    """Clipped gradients summed over Poisson samples, each sum noised; a mechanism is a subclass that plans a training.

    `rows` is the stated number of rows, which the sampling rate and what divides a sum come from.
    """

    releases: ClassVar[Releases | None] = Releases.BATCH_SUM

    relation: str = Relation.ADD_REMOVE
    rows: Annotated[int | None, at_least(1, "null takes the number of train rows for public")] = None

    def plan(
        self, *, rows: int, batch_size: float, steps: int, seed: int, record: Path | None = None, note_every: int = 1
    ) -> TrainingPlan:
        """The plan of a training whose steps spend the budget; secure noise leaves `seed` unused."""
        raise NotImplementedError
