"""privacy=running_mean_burn_in."""

from __future__ import annotations

from dataclasses import dataclass

from assay.privacy.rows.gradients import BurnIn
from assay.privacy.rows.running_mean import RunningMean


@dataclass(frozen=True)
class RunningMeanBurnIn(BurnIn, RunningMean):
    """Mean of past private gradients, first evaluations discarded. Source: 2412.17008 as reconstructed."""

    name: str = "running_mean_burn_in"
