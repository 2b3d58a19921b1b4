"""Gradients that are small enough to be written out."""

from __future__ import annotations

import torch
from torch import Tensor

from assay.gradients.factors.base import Factor
from assay.gradients.factors.pass_tensor import PassTensor


class Dense(Factor):
    """The gradients themselves [N, *shape]: biases, scales of norm layers, small kernels."""

    def __init__(self, gradients: Tensor | PassTensor, layer: str = "") -> None:
        self._source = gradients if isinstance(gradients, PassTensor) else PassTensor(gradients, layer)
        self._source.users += 1
        value = self._source.value
        self.samples, self.shape = value.shape[0], value.shape[1:]

    @property
    def _flat(self) -> Tensor:
        value = self._source.value
        return value if value.dim() == 2 else value.reshape(len(value), -1)

    def squared_norms(self) -> Tensor:
        """|g_n|^2."""
        return self._source.squares()

    def weighted_sum(self, weights: Tensor, out: Tensor | None = None) -> Tensor:
        """sum_n w_n g_n."""
        flat = torch.mv(self._flat.mT, weights)
        return flat if len(self.shape) == 1 else flat.reshape(self.shape)

    def dots(self, direction: Tensor) -> Tensor:
        """<g_n, v>."""
        return self._flat @ direction.flatten()

    def materialised(self) -> Tensor:
        """A copy."""
        return self._source.value.clone()

    def take(self, index: Tensor | slice) -> Dense:
        """The same for some of the samples."""
        return Dense(self._source.take(index))

    def gram(self, other: Factor) -> Tensor:
        """<g_n, g'_m>."""
        return self._flat @ other._flat.mT if isinstance(other, Dense) else super().gram(other)
