"""The known population that synthetic data are drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from assay.arrays import Floats, Integers


@dataclass(frozen=True, eq=False)
class Population:
    """Features from N(0, I) and a target from their score x'coefficients + noise * N(0, 1).

    A regression target is the score; a class is whether the score is above 0, exchanged with probability `flips`.
    """

    coefficients: Floats  # [d]
    noise: float  # standard deviation
    kind: str  # regression | classification
    flips: float = 0.0

    def draw(self, rows: int, generator: np.random.Generator) -> tuple[Floats, Floats | Integers]:
        """Independent rows: features [rows, d] and target [rows]."""
        import numpy as np

        features = generator.standard_normal((rows, len(self.coefficients)))
        score = features @ self.coefficients + self.noise * generator.standard_normal(rows)
        if self.kind == "regression":
            return features, score
        flipped = generator.random(rows) < self.flips
        return features, np.asarray((score > 0) ^ flipped, dtype=np.int64)
