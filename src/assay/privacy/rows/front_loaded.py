"""privacy=front_loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray

from assay.config.limits import inside
from assay.privacy.relations import Sensitivity
from assay.privacy.rows.gradients import GivenNorm


@dataclass(frozen=True)
class FrontLoaded(GivenNorm):
    """Most of the budget in the first evaluation, then means weighted by inverse noise variance.

    `first_share` of the squared Gaussian-DP mu is spent in the first evaluation; the rest is even over the others.
    Source: [derived].
    """

    reuses: ClassVar[bool] = True

    name: str = "front_loaded"
    first_share: Annotated[float, inside(0, 1, "0.9 leaves a tenth for the later evaluations")] = 0.9

    def noise_multipliers(self, releases: int) -> NDArray[np.float64]:
        """Deviations of the noise [k], in clipping norms: the smallest first."""
        unit = Sensitivity(1.0, self.budget.relation)
        return self.budget.noise_multipliers(front_loaded_shares(self.first_share, releases), unit)


def front_loaded_shares(first_share: float, rounds: int) -> NDArray[np.float64]:
    """Shares [rounds] of the budget: `first_share` in the first round, the rest evenly over the others; 1 for one round."""
    if rounds == 1:
        return np.ones(1)
    return np.array([first_share] + [(1 - first_share) / (rounds - 1)] * (rounds - 1))
