"""The value table."""

from __future__ import annotations

import math
from collections.abc import Iterable
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
    that the standard errors were estimated with. `half_width` [n] is half of the 95 % interval of the noise, where that is
    known without estimating it. `prediction` holds the ends [n] of 90 % intervals of the exact values.
    """

    ids: NDArray[np.int64]
    value: NDArray[np.float64]
    std_error: NDArray[np.float64]
    evaluations: NDArray[np.int64]
    freedom: float = math.inf
    half_width: NDArray[np.float64] | None = None
    prediction: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    def table(self) -> pd.DataFrame:
        """Columns id, value, std_error, ends of an interval, evaluations; one line for each row, in order of id.

        The ends are called after what the interval is of: ci_low and ci_high (95 %, of the estimate), noise_low and
        noise_high (95 %, of the noise alone), or pi_low and pi_high (90 %, of the exact value) with noise_half_width.
        """
        import pandas as pd
        from scipy import stats

        columns = {"id": self.ids, "value": self.value, "std_error": self.std_error}
        if self.prediction is not None:
            columns |= {"pi_low": self.prediction[0], "pi_high": self.prediction[1]}
            columns |= {} if self.half_width is None else {"noise_half_width": self.half_width}
        elif self.half_width is not None:
            columns |= {"noise_low": self.value - self.half_width, "noise_high": self.value + self.half_width}
        else:
            half = float(stats.t.ppf(0.975, max(self.freedom, 1))) * self.std_error
            columns |= {"ci_low": self.value - half, "ci_high": self.value + half}
        return pd.DataFrame({**columns, "evaluations": self.evaluations}).sort_values("id", ignore_index=True)


INTERVALS = ("ci", "noise", "pi")
NOISED = ("value", "std_error", *(f"{kind}_{end}" for kind in INTERVALS for end in ("low", "high")), "noise_half_width")
COLUMNS = ("id", *NOISED, "evaluations")  # all that a value table may have, and all that may be published of it


def interval_of(columns: Iterable[str]) -> tuple[str, str] | None:
    """Names of the ends of the interval among the columns of a value table; None when it has none."""
    known = set(columns)
    return next(((f"{kind}_low", f"{kind}_high") for kind in INTERVALS if f"{kind}_low" in known), None)
