"""Gradients that are small enough to be written out."""

from __future__ import annotations

import torch
from torch import Tensor

from assay.gradients.factors.base import Factor
from assay.gradients.factors.kept import Kept


class Dense(Factor):
    """The gradients themselves [N, *shape]: biases, scales of norm layers, small kernels."""

    def __init__(self, gradients: Tensor | Kept, layer: str = "") -> None:
        self._kept = gradients if isinstance(gradients, Kept) else Kept(gradients, layer)
        self._kept.users += 1
        value = self._kept.value
        self.samples, self.shape = value.shape[0], value.shape[1:]

    @property
    def _flat(self) -> Tensor:
        value = self._kept.value
        return value if value.dim() == 2 else value.flatten(1)

    def squared_norms(self) -> Tensor:
        """|g_n|^2."""
        return self._kept.squares()

    def weighted_sum(self, weights: Tensor, out: Tensor | None = None) -> Tensor:
        """sum_n w_n g_n."""
        found = torch.mv(self._flat.mT, weights)
        return found if len(self.shape) == 1 else found.reshape(self.shape)

    def dots(self, direction: Tensor) -> Tensor:
        """<g_n, v>."""
        return self._flat @ direction.flatten()

    def materialised(self) -> Tensor:
        """A copy."""
        return self._kept.value.clone()

    def take(self, index: Tensor | slice) -> Dense:
        """The same for some of the samples."""
        return Dense(self._kept.take(index))

    def gram(self, other: Factor) -> Tensor:
        """<g_n, g'_m>."""
        return self._flat @ other._flat.mT if isinstance(other, Dense) else super().gram(other)
