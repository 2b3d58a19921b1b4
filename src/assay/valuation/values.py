"""The value table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Values:
    """One value for each row, with its uncertainty and what it took.

    ids, value, std_error (NaN where it cannot be estimated) and evaluations are all [n]; `freedom` is the degrees of freedom
    that the standard errors were estimated with. `half_width` [n] is half of the 95 % interval where that is known without
    estimating it, else the interval is Student's.
    """

    ids: NDArray[np.int64]
    value: NDArray[np.float64]
    std_error: NDArray[np.float64]
    evaluations: NDArray[np.int64]
    freedom: float = math.inf
    half_width: NDArray[np.float64] | None = None

    def table(self) -> pd.DataFrame:
        """Columns id, value, std_error, ci_low, ci_high (95 %), evaluations; one line for each row, in order of id."""
        import pandas as pd
        from scipy import stats

        student = float(stats.t.ppf(0.975, max(self.freedom, 1))) * self.std_error
        half = student if self.half_width is None else self.half_width
        columns = {"id": self.ids, "value": self.value, "std_error": self.std_error}
        columns |= {"ci_low": self.value - half, "ci_high": self.value + half, "evaluations": self.evaluations}
        return pd.DataFrame(columns).sort_values("id", ignore_index=True)
