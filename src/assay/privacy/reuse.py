"""How a row's past private gradients are reused: the correlated noise of 2412.17008.

In round t row j releases y_t = clip(g) + noise. A mechanism steps along a lower-triangular, row-stochastic
combination of the row's own releases y_1 .. y_t. Anything computed from releases costs no further privacy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.errors import InputError
from assay.privacy.mechanisms import Mechanism


def burn_in_rounds(burn_in: float, evaluations: int) -> int:
    """Rounds left out of the value: a share of the evaluations below 1 (rounded down), a number of rounds from 1 on.

    Raises InputError when no round would remain.
    """
    rounds = int(burn_in * evaluations + 1e-9) if burn_in < 1 else int(burn_in)
    if burn_in < 0 or rounds >= evaluations:
        limit = f"must be >= 0 and below valuation.evaluations={evaluations}"
        raise InputError("privacy.burn_in", burn_in, limit, "a share such as 0.3 fits any number of evaluations")
    return rounds


@dataclass(frozen=True)
class ReuseMatrix:
    """The matrix X whose row t says how round t combines the releases 1 .. t."""

    weights: NDArray[np.float64]

    @classmethod
    def of(cls, mechanism: Mechanism, rounds: int) -> ReuseMatrix:
        """Identity for independent noise, the running mean X[t, l] = 1/t for reuse.

        The running mean is the one minimiser of the row noise variance sum_l X[t, l]^2 among rows that sum to 1. [derived]
        """
        if not mechanism.reuses:
            return cls(np.eye(rounds))
        return cls(np.tril(np.ones((rounds, rounds))) / np.arange(1, rounds + 1)[:, None])

    def mean_noise_variance(self, burn_in: int = 0) -> float:
        """Variance of the mean of the used rounds' noise, in units of one release's noise variance.

        This is what a linear utility sees: 1/k for the identity, (1/m^2) sum_{s,t>q} 1/max(s,t) for the running mean.
        """
        used = self.weights[burn_in:].mean(axis=0)
        return float((used**2).sum())
