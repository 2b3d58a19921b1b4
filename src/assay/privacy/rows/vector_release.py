"""privacy=vector_release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from assay.privacy.releases import Releases
from assay.privacy.rows.gradients import PublicNorm


@dataclass(frozen=True)
class ReleasedVector(PublicNorm):
    """One release of each row's gradient at the start with the whole budget, then replayed along public paths.

    Source: [derived].
    """

    releases: ClassVar[Releases | None] = Releases.ROW_VECTOR
    reuses: ClassVar[bool] = True
    one_release: ClassVar[bool] = True

    name: str = "vector_release"
