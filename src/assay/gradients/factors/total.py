"""One parameter, several uses: tied weights and layers called more than once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor

from assay.gradients.factors.base import Factor
from assay.gradients.factors.outer import Outer


class Total(Factor):
    """Sum of the gradients that reach one parameter by several ways, cross terms included."""

    def __init__(self, parts: Sequence[Factor]) -> None:
        self._parts = tuple(parts)
        self.samples, self.shape = parts[0].samples, parts[0].shape

    def squared_norms(self) -> Tensor:
        """Squares of the parts and twice their inner products."""
        squares = torch.stack([part.squared_norms() for part in self._parts]).sum(0)
        for one, other in combinations(self._parts, 2):
            squares = squares + 2 * (other.inner(one) if isinstance(one, Outer) else one.inner(other))
        return squares.clamp(min=0)

    def weighted_sum(self, weights: Tensor, out: Tensor | None = None) -> Tensor:
        """Sum over the parts."""
        gradients = self._parts[0].weighted_sum(weights, out)
        for part in self._parts[1:]:
            gradients += part.weighted_sum(weights)
        return gradients

    def dots(self, direction: Tensor) -> Tensor:
        """Sum over the parts."""
        return torch.stack([part.dots(direction) for part in self._parts]).sum(0)

    def materialised(self) -> Tensor:
        """Sum over the parts."""
        return torch.stack([part.materialised() for part in self._parts]).sum(0)

    def take(self, index: Tensor | slice) -> Total:
        """The same for some of the samples."""
        return Total([part.take(index) for part in self._parts])

    def gram(self, other: Factor) -> Tensor:
        """Sum over all pairs of parts."""
        theirs = other._parts if isinstance(other, Total) else (other,)
        return torch.stack([mine.gram(part) for mine in self._parts for part in theirs]).sum(0)


def total(parts: Sequence[Factor]) -> Factor:
    """One factor for a parameter: the only part, or the sum of several."""
    return parts[0] if len(parts) == 1 else Total(parts)
