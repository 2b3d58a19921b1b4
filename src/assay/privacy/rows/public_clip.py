"""privacy=public_clip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from assay.config.limits import at_least
from assay.privacy.rows.gradients import BurnIn, PublicNorm


@dataclass(frozen=True)
class PublicClip(BurnIn, PublicNorm):
    """Running mean with burn-in, clipped to a quantile of the public rows' gradient norms at the start.

    Source: [derived].
    """

    reuses: ClassVar[bool] = True

    name: str = "public_clip"
    burn_in: Annotated[
        float, at_least(0, "a share of the evaluations below 1, or a number of them from 1 on; 0 leaves out none")
    ] = 0.9
