"""The value table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

NORMAL_95 = 1.959963984540054


@dataclass(frozen=True, eq=False)
class Values:
    """One value for each row, with its uncertainty and what it took.

    ids, value, std_error (NaN where it cannot be estimated) and evaluations are all [n].
    """

    ids: NDArray[np.int64]
    value: NDArray[np.float64]
    std_error: NDArray[np.float64]
    evaluations: NDArray[np.int64]

    def table(self) -> pd.DataFrame:
        """Columns id, value, std_error, ci_low, ci_high (95 %), evaluations; one line for each row, in order of id."""
        import pandas as pd

        half = NORMAL_95 * self.std_error
        columns = {"id": self.ids, "value": self.value, "std_error": self.std_error}
        columns |= {"ci_low": self.value - half, "ci_high": self.value + half, "evaluations": self.evaluations}
        return pd.DataFrame(columns).sort_values("id", ignore_index=True)
