"""privacy=white."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from assay.config.limits import above
from assay.privacy.batch_sums import BatchSums

if TYPE_CHECKING:
    from assay.privacy.plan import TrainingPlan


@dataclass(frozen=True)
class WhiteNoise(BatchSums):
    """White Gaussian noise on clipped sums over Poisson samples (DP-SGD).

    Noise is added in double precision and the noised sum is rounded to the type of the parameters, which is
    post-processing: secure noise has no gaps in single precision either.
    """

    name: str = "white"
    relation: Literal["add_remove", "zero_out"] = "add_remove"
    max_grad_norm: Annotated[float, above(0, "the L2 norm that a sample's gradient is clipped to, e.g. 1.0")] = 1.0
    clipping: Literal["flat", "per_layer", "automatic"] = "flat"
    accountant: Literal["prv", "rdp"] = "prv"

    def plan(
        self, *, rows: int, batch_size: float, steps: int, seed: int, record: Path | None = None, note_every: int = 1
    ) -> TrainingPlan:
        """The plan of a training whose steps spend the budget; secure noise leaves `seed` unused."""
        from assay.privacy.plan import plan_training

        return plan_training(
            rows=rows,
            batch_size=batch_size,
            steps=steps,
            epsilon=self.epsilon,
            delta=self.delta,
            max_grad_norm=self.max_grad_norm,
            relation=self.relation,
            accountant=self.accountant,
            clipping=self.clipping,
            secure=self.secure_noise,
            seed=None if self.secure_noise else seed,
            table=self.table,
            record=record,
            note_every=note_every,
        )
