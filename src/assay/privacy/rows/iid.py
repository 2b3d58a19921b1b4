"""privacy=iid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from assay.privacy.rows.gradients import GivenNorm


@dataclass(frozen=True)
class Iid(GivenNorm):
    """Independent Gaussian noise on each clipped gradient."""

    for_sources: ClassVar[bool] = True

    name: str = "iid"
