"""What a task may ask of any valuator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from assay.data import PreparedData
from assay.learning.models import ModelSpec
from assay.learning.trainers import TrainerSpec
from assay.privacy.rows.spec import PrivacySpec
from assay.runs.streams import Streams
from assay.valuation.values import Values


@dataclass(frozen=True, eq=False)
class Valuation:
    """Values with what they cost: epsilon (infinite without privacy), utility evaluations, model fits, the ledger's record.

    `facts` are further metrics that belong to the release; they reveal nothing that the release does not. A `statement`
    says that the values are to be published, and what that means: nothing without privacy may then stand beside them.
    """

    values: Values
    epsilon: float
    utility_evaluations: int
    model_fits: int = 0
    ledger: list[dict[str, Any]] = field(default_factory=list)
    facts: Mapping[str, float] = field(default_factory=dict)
    statement: tuple[str, ...] = ()


@dataclass(frozen=True)
class Surroundings:
    """Where a valuation runs: streams, trainer, workers, a folder for checkpoints (None: no resuming), a progress callback."""

    streams: Streams
    trainer: TrainerSpec
    workers: int = 1
    scratch: Path | None = None
    advance: Callable[[int], object] = lambda rounds: None


class Valuator(Protocol):
    """Gives every row of the train split a value."""

    evaluations: int

    def valuate(
        self, data: PreparedData, model: ModelSpec, privacy: PrivacySpec, surroundings: Surroundings
    ) -> Valuation:
        """Values of the train split, judged on the valid split; the test split is not looked at."""
        ...
