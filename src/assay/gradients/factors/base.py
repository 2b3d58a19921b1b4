"""The questions that per-sample gradients of one parameter answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import torch
from torch import Tensor

LARGEST_CHUNK = 1 << 22
"""Elements that a chunk may have where samples are written out some at a time."""


class Factor(ABC):
    """Per-sample gradients [N, *shape] of one parameter from one call of its layer, in a form that is cheap to use."""

    samples: int
    shape: torch.Size

    @abstractmethod
    def squared_norms(self) -> Tensor:
        """Squared L2 norms [N]."""

    @abstractmethod
    def weighted_sum(self, weights: Tensor, out: Tensor | None = None) -> Tensor:
        """Sum of the gradients, each times its weight [N]: a tensor of the parameter's shape, perhaps in `out`."""

    @abstractmethod
    def dots(self, direction: Tensor) -> Tensor:
        """Inner products [N] with one direction of the parameter's shape."""

    @abstractmethod
    def materialised(self) -> Tensor:
        """The gradients themselves [N, *shape]."""

    @abstractmethod
    def take(self, index: Tensor | slice) -> Factor:
        """The same for some of the samples."""

    def inner(self, other: Factor) -> Tensor:
        """Inner product of each sample's gradient with its gradient in `other` [N]: cross terms of tied weights."""
        parts = [
            (mine.materialised().flatten(1) * other.take(rows).materialised().flatten(1)).sum(1)
            for rows, mine in self._chunks()
        ]
        return torch.cat(parts)

    def gram(self, other: Factor) -> Tensor:
        """Inner products of all gradients with all those of another batch [N, M]."""
        parts = []
        for _, mine in self._chunks():
            left = mine.materialised().flatten(1)
            parts.append(torch.cat([left @ theirs.materialised().flatten(1).mT for _, theirs in other._chunks()], 1))
        return torch.cat(parts)

    def _chunks(self) -> Iterator[tuple[slice, Factor]]:
        """The samples some at a time, so that no more than LARGEST_CHUNK elements are written out (or one sample)."""
        for rows in chunks(self.samples, self.shape.numel()):
            yield rows, self.take(rows)


def chunks(count: int, elements: int) -> Iterator[slice]:
    """Slices that cover 0..count, each of at most LARGEST_CHUNK elements when one item has `elements`."""
    step = max(1, LARGEST_CHUNK // max(1, elements))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))
