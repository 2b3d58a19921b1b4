"""Shapes of the mean contribution as a function of the cardinality."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Form:
    """A sum of terms x^-e at x = k/reference, with fixed exponents, or one term x^-alpha with alpha on a grid of `shapes`.

    An M-estimator has psi_k = a1/k + a2/k^2 + ... [derived].
    """

    exponents: tuple[float, ...] = ()
    shapes: tuple[float, ...] = (0.0,)

    @property
    def count(self) -> int:
        """Number of coefficients, p."""
        return max(1, len(self.exponents))

    def powers(self, shape: float) -> Floats:
        """The exponents [p] at one shape."""
        return np.array(self.exponents or (shape,))

    def terms(self, size: Floats, shape: float) -> Floats:
        """The terms [..., p] at x = size [...]."""
        return np.stack([size**-power for power in self.powers(shape)], axis=-1)

    def at(self, size: Floats) -> Floats:
        """The terms at x = size [K] for every shape: [A, K, p]."""
        return np.stack([self.terms(size, shape) for shape in self.shapes])

    def over(self, size: Floats) -> Floats:
        """Their mean over x = size [K] for every shape: [A, 1, p]."""
        return np.asarray(self.at(size).mean(axis=1, keepdims=True))

    def tangent(self) -> Floats:
        """The terms at x = 1 and their derivatives by log x, for every shape: [A, 2, p]."""
        return np.stack([np.stack([np.ones(self.count), -self.powers(shape)]) for shape in self.shapes])


TWO_TERM = Form((1.0, 2.0))
THREE_TERM = Form((1.0, 2.0, 3.0))
# While a fixed penalty still matters, contributions fall more slowly than 1/k [measured].
SLOW_TERM = Form((0.5, 1.0, 2.0))
POWER = Form((), tuple(np.linspace(0.25, 2.75, 11).tolist()))
