"""privacy=running_mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from assay.privacy.rows.gradients import GivenNorm


@dataclass(frozen=True)
class RunningMean(GivenNorm):
    """Each row steps along the mean of its past private gradients. Source: 2412.17008 as reconstructed."""

    reuses: ClassVar[bool] = True
    for_sources: ClassVar[bool] = True

    name: str = "running_mean"
