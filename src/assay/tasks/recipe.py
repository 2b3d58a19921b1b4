"""Options of training one model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from assay.config.limits import above, at_least, share
from assay.tasks.fields import Count


@dataclass(frozen=True)
class Recipe:
    """Passes over the train split, the optimizer, and the parts that a batch's gradients are computed in."""

    epochs: Annotated[float, above(0, "e.g. 10")] = 10.0
    batch_size: Count = 256
    optimizer: Literal["sgd", "adam"] = "sgd"
    learning_rate: Annotated[float, above(0, "e.g. 0.05")] = 0.5
    momentum: Annotated[float, share("0.3 is 30 %")] = 0.0
    parts: Count = 1


@dataclass(frozen=True)
class AttackedRecipe(Recipe):
    """A training with canaries, each in the table or not by a fair coin, and rows that one step is made with and without."""

    canary: Literal["gradient", "label"] = "gradient"
    canaries: Annotated[int, at_least(40, "a bound needs them, e.g. 1000")] = 1000
    rows: Count = 3
