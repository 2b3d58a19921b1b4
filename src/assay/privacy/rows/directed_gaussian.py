"""privacy=directed_gaussian."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.privacy.rows.numbers import RowNumber


@dataclass(frozen=True)
class DirectedGaussian(RowNumber):
    """One clipped number of each row, taken along public trajectories and released once with Gaussian noise.

    Source: [derived].
    """

    name: str = "directed_gaussian"

    @property
    def laws(self) -> Sequence[str]:
        """The Gaussian law alone."""
        return ("gaussian",)
