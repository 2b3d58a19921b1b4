"""A multilayer perceptron with a replicate axis, forward and backward written out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from assay.learning.models.heads import Head


class MultilayerPerceptron:
    """Affine layers with tanh or relu between them; gradients of one row per replicate by batched products.

    The flat parameters are, layer after layer, the weight matrix [out, in] row by row and then the bias [out].
    """

    trains_from_zeros = False

    def __init__(self, features: int, hidden: Sequence[int], head: Head, activation: str = "tanh") -> None:
        self.head, self.activation = head, activation
        widths = [features, *hidden, head.outputs]
        self._shapes = list(zip(widths[1:], widths[:-1], strict=True))
        self.parameter_count = sum(rows * (columns + 1) for rows, columns in self._shapes)
        self.widest = max(widths[1:])

    def initial(self, how: str, generator: torch.Generator) -> Tensor:
        """Normal weights with deviation 1/sqrt(in) and zero biases; ValueError for zeros, where hidden units stay equal."""
        if how == "zeros":
            raise ValueError(
                "valuation.initialisation=zeros: an mlp needs a start in which its units differ (use random)"
            )
        parts = []
        for rows, columns in self._shapes:
            weights = torch.randn(rows * columns, generator=generator, dtype=torch.float64) / columns**0.5
            parts += [weights, torch.zeros(rows, dtype=torch.float64)]
        return torch.cat(parts)

    def _layers(self, theta: Tensor) -> list[tuple[Tensor, Tensor]]:
        layers, start = [], 0
        for rows, columns in self._shapes:
            middle, end = start + rows * columns, start + rows * (columns + 1)
            layers.append((theta[:, start:middle].view(-1, rows, columns), theta[:, middle:end]))
            start = end
        return layers

    def _activate(self, z: Tensor) -> Tensor:
        return torch.tanh(z) if self.activation == "tanh" else torch.relu(z)

    def _slope(self, activated: Tensor) -> Tensor:
        return 1 - activated**2 if self.activation == "tanh" else (activated > 0).to(activated.dtype)

    def row_gradients(self, theta: Tensor, features: Tensor, target: Tensor) -> Tensor:
        """Backpropagation of one row through each replicate's own weights."""
        layers, inputs, x = self._layers(theta), [features], features
        for weights, bias in layers[:-1]:
            x = self._activate(torch.baddbmm(bias[:, :, None], weights, x[:, :, None])[..., 0])
            inputs.append(x)
        weights, bias = layers[-1]
        delta = self.head.residual(torch.baddbmm(bias[:, :, None], weights, x[:, :, None])[..., 0], target)
        gradient = torch.empty_like(theta)
        for (weights, _), entered, (weight_part, bias_part) in zip(
            reversed(layers), reversed(inputs), reversed(self._layers(gradient)), strict=True
        ):
            torch.mul(delta[:, :, None], entered[:, None, :], out=weight_part)
            bias_part.copy_(delta)
            delta = torch.bmm(delta[:, None, :], weights)[:, 0] * self._slope(entered)
        return gradient

    def outputs(self, theta: Tensor, features: Tensor) -> Tensor:
        """Outputs [B, n, c] of every copy on every row."""
        x = features.expand(theta.shape[0], *features.shape)
        layers = self._layers(theta)
        for weights, bias in layers[:-1]:
            x = self._activate(torch.baddbmm(bias[:, None, :], x, weights.transpose(1, 2)))
        weights, bias = layers[-1]
        return torch.baddbmm(bias[:, None, :], x, weights.transpose(1, 2))
