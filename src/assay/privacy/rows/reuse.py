"""Reuse of a row's past private gradients: the correlated noise of 2412.17008.

In round t row j releases y_t = clip(g) + noise. A mechanism steps along a lower-triangular, row-stochastic
combination of the row's own releases y_1 .. y_t. Anything computed from releases costs no further privacy.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assay.errors import InputError

ROUNDING = 1e-6  # by which the rows of a file may miss 1: it may have been written with seven digits


def burn_in_rounds(burn_in: float, evaluations: int) -> int:
    """Rounds left out of the value: a share of the evaluations below 1 (rounded down), a number of rounds from 1 on.

    Raises InputError when no round would remain.
    """
    rounds = int(burn_in * evaluations + 1e-9) if burn_in < 1 else int(burn_in)
    if burn_in < 0 or rounds >= evaluations:
        limit = f"must be >= 0 and below valuation.evaluations={evaluations}"
        raise InputError("privacy.burn_in", burn_in, limit, "a share such as 0.3 fits any number of evaluations")
    return rounds


@dataclass(frozen=True, eq=False)
class ReuseMatrix:
    """The matrix X [k, k] whose row t says how round t combines the releases 1 .. t."""

    weights: NDArray[np.float64]

    @classmethod
    def identity(cls, rounds: int) -> ReuseMatrix:
        """Independent noise: each round steps along its own release."""
        return cls(np.eye(rounds))

    @classmethod
    def weighted(cls, weights: NDArray[np.float64], wave: int = 1) -> ReuseMatrix:
        """Means weighted by weights [k]: X[t, l] = w_l / sum over the releases that round t has.

        Round t has its own release and those of earlier waves of `wave` rounds, which are all earlier ones for wave=1.
        Weights in inverse proportion to the noise variances minimise the row noise variance among rows that sum to 1; equal
        ones are the running mean X[t, l] = 1/t, and in waves 1/(wave (b - 1) + 1) each in wave b. [derived]
        """
        wave_of = np.arange(len(weights)) // wave
        known = (wave_of[:, None] > wave_of) | np.eye(len(weights), dtype=bool)
        used = known * weights
        return cls(used / used.sum(axis=1, keepdims=True))

    @classmethod
    def checked(cls, weights: NDArray[np.float64], rounds: int, wave: int = 1) -> ReuseMatrix:
        """A matrix from the user; InputError, which names the row, unless it can be carried out and keeps a fixed mean.

        It must be [rounds, rounds], finite and lower-triangular with rows that sum to 1, and combine nothing within a
        wave of `wave` rounds, whose releases are made at the same time.
        """
        fault = _first_fault(weights, rounds, wave)
        if fault:
            remedy = f"give valuation.evaluations={rounds} rows of as many weights, row t for the releases 1 to t"
            raise InputError("privacy.matrix", "x".join(map(str, weights.shape)), fault, remedy)
        return cls(weights)

    @classmethod
    def read(cls, path: str | Path, rounds: int, wave: int = 1) -> ReuseMatrix:
        """The `checked` matrix in a file: .npy, or text of numbers separated by commas; InputError when it holds none."""
        file = Path(path).expanduser()
        try:
            loaded = (
                np.load(file, allow_pickle=False) if file.suffix == ".npy" else np.loadtxt(file, delimiter=",", ndmin=2)
            )
            weights = np.asarray(loaded, dtype=np.float64)
        except (OSError, ValueError, TypeError) as fault:
            limit = f"holds no matrix ({' '.join(str(fault).split())})"
            raise InputError("privacy.matrix", path, limit, "give a .csv of numbers or a .npy file") from fault
        return cls.checked(weights, rounds, wave)

    def row_noise_variance(self, multipliers: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Variance [k] of each round's noise in its step, for releases with noise multipliers [k] (default: 1 each).

        The noise of the steps is X Z with independent rows Z_l of deviation multipliers[l]: sum_l X[t, l]^2 sigma_l^2, in
        squared clipping norms. 1/t for the running mean under equal noise.
        """
        variances = np.ones(len(self.weights)) if multipliers is None else multipliers**2
        return np.asarray(self.weights**2 @ variances)

    def mean_noise_variance(self, burn_in: int = 0) -> float:
        """Variance of the mean of the used rounds' noise, in units of one release's noise variance.

        This is what a linear utility sees: 1/k for the identity, (1/m^2) sum_{s,t>q} 1/max(s,t) for the running mean.
        """
        used = self.weights[burn_in:].mean(axis=0)
        return float((used**2).sum())


def _first_fault(weights: NDArray[np.float64], rounds: int, wave: int) -> str:
    if weights.shape != (rounds, rounds):
        return f"must be {rounds} x {rounds}, one row for each evaluation"
    wave_of = np.arange(rounds) // wave
    together = (wave_of[:, None] == wave_of) & ~np.eye(rounds, dtype=bool)
    for row, numbers in enumerate(weights):
        if not np.isfinite(numbers).all():
            return f"row {row + 1} holds a number that is not finite"
        if numbers[row + 1 :].any():
            return f"row {row + 1} uses a release that is not yet made: what stands right of the diagonal must be 0"
        if numbers[together[row]].any():
            return f"row {row + 1} uses another release of its own wave, made at the same time (valuation.wave={wave})"
        if abs(numbers.sum() - 1) > ROUNDING:
            return f"row {row + 1} sums to {numbers.sum():.9g} and not to 1"
    return ""
