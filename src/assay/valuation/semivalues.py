"""Weights of semivalues by coalition size, computed in logs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assay.errors import InputError


def semivalue_weights(name: str, rows: int, alpha: float = 1.0, beta: float = 1.0) -> NDArray[np.float64]:
    """Weight w(s) of a marginal contribution to a coalition of s - 1 rows, for s = 1 .. rows; the weights sum to `rows`.

    A semivalue is ``(1/n) sum_s w(s) * mean over coalitions of size s-1 of the marginal contribution``; over random
    permutations it is the mean of ``w(position) * marginal``. Shapley: 1. Banzhaf: n C(n-1, s-1) / 2^(n-1).
    Beta(alpha, beta): n C(n-1, s-1) B(s + beta - 1, n - s + alpha) / B(alpha, beta) (Kwon & Zou 2022); Beta(1, 1) is Shapley.
    """
    from scipy import special

    size = np.arange(1, rows + 1)
    log_choices = special.gammaln(rows) - special.gammaln(size) - special.gammaln(rows - size + 1)
    if name == "shapley":
        return np.ones(rows)
    if name == "banzhaf":
        return np.asarray(np.exp(np.log(rows) + log_choices - (rows - 1) * np.log(2)))
    if name == "beta":
        if alpha <= 0 or beta <= 0:
            key, value = ("valuation.alpha", alpha) if alpha <= 0 else ("valuation.beta", beta)
            raise InputError(
                key, value, "must be > 0", "alpha=16 with beta=1 stresses small coalitions, 1 and 1 is Shapley"
            )
        log_beta = special.betaln(size + beta - 1, rows - size + alpha) - special.betaln(alpha, beta)
        return np.asarray(np.exp(np.log(rows) + log_choices + log_beta))
    raise InputError("valuation.semivalue", name, "must be shapley, beta or banzhaf", "use shapley")
