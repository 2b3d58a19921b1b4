"""What an estimate of values starts from, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from assay.data import Arrays, PreparedData
from assay.learning.models import ModelSpec
from assay.learning.modules.permutation_pass import Rows
from assay.learning.trainers import TrainerSpec
from assay.privacy.spec import PrivacySpec
from assay.runs.cost import Cost
from assay.runs.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True, eq=False)
class Problem:
    """Which rows are to be valued with which model, under what privacy, from which random streams, and where."""

    data: PreparedData
    model: ModelSpec
    privacy: PrivacySpec
    streams: Streams
    trainer: TrainerSpec


@dataclass(frozen=True, eq=False)
class Estimates:
    """Values of all replicates [R, n] and how they were come by.

    touches [R, n] counts the private releases of each row (zeros without privacy); epsilon is recomputed from them (0
    without privacy); entries is the ledger's record; extras holds what else an estimator finds, by name.
    """

    ids: NDArray[np.int64]
    values: NDArray[np.float64]
    std_errors: NDArray[np.float64]
    evaluations: NDArray[np.int64]
    touches: NDArray[np.int64]
    epsilon: float
    noise_multiplier: float
    entries: list[dict[str, Any]]
    utility_evaluations: int
    cost: Cost
    extras: dict[str, NDArray[np.float64]] = field(default_factory=dict)


class Estimator(Protocol):
    """Values all replicates at once, for a number of evaluations that may be changed."""

    def with_budget(self, evaluations: int, replicates: int) -> Estimator:
        """The same for another number of evaluations and replicates."""
        ...

    def value(
        self,
        data: PreparedData,
        model: ModelSpec,
        privacy: PrivacySpec,
        streams: Streams,
        trainer: TrainerSpec,
        *,
        purpose: str = "values",
        checkpoint: Path | None = None,
        advance: Callable[[int], object] = lambda rounds: None,
    ) -> Estimates:
        """Values once for each replicate; `purpose` names the random streams, `checkpoint` the file to resume from."""
        ...


def rows_of(split: Arrays, dtype: torch.dtype) -> Rows:
    """Features and target of a split as tensors."""
    return Rows(torch.tensor(split.features, dtype=dtype), torch.tensor(split.target, dtype=dtype))
