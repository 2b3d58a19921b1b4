"""The result of a directed release, and what its calibration asks of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from torch import Tensor

from assay.learning.modules.permutation_pass import Rows
from assay.privacy.rows.numbers import RowNumber
from assay.valuation.estimates import Estimates
from assay.valuation.gradient.directed.design import Design
from assay.valuation.gradient.directed.paths import MeanGradientPath
from assay.valuation.gradient.directed.trajectories import PublicTrajectories
from assay.valuation.gradient.settings import GradientSettings
from assay.valuation.valuator import Problem, Run

if TYPE_CHECKING:
    from assay.learning.models.replicated import ReplicatedModel


@dataclass(frozen=True, eq=False)
class Released:
    """Estimates [R, n] with the design behind them, and the private descent with the first replicate's points, if any."""

    estimates: Estimates
    design: Design
    descent: MeanGradientPath | None = None
    points: Tensor | None = None


class Mechanism(Protocol):
    """A directed release that can be tried on other rows: its public parts, and its steps before the noise."""

    settings: GradientSettings
    problem: Problem
    context: Run
    purpose: str
    privacy: RowNumber
    along: PublicTrajectories
    model: ReplicatedModel
    train: Rows
    public: Rows
    judges: Rows
    evaluations: int  # of the utility, so far

    def exact_values(self, rows: Rows, public: Tensor) -> Tensor:
        """Values [n] of rows along trajectories, before clip and noise."""
        ...

    def private_points(self, descent: MeanGradientPath, rows: Rows, draws: Tensor) -> Tensor:
        """Points of a descent over rows."""
        ...

    def about(self, points: Tensor, public: Tensor, descent: MeanGradientPath) -> Tensor:
        """Trajectories about a path."""
        ...
