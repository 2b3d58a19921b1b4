"""Generalised linear models: linear, logistic and softmax regression in closed form."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from assay.learning.models.heads import Head


class GeneralizedLinear:
    """Outputs are affine in the features; the gradient of a row is its residual times its features.

    The flat parameters are the weight matrix [c, d + intercept] row by row, the intercept last in each row.
    """

    trains_from_zeros = True

    def __init__(self, features: int, head: Head, intercept: bool = True) -> None:
        self.head, self.intercept = head, intercept
        self._columns = features + int(intercept)
        self.parameter_count = head.outputs * self._columns
        self.widest = head.outputs

    def initial(self, how: str, generator: torch.Generator) -> Tensor:
        """Zeros, or standard normals over the square root of the number of columns."""
        if how == "zeros":
            return torch.zeros(self.parameter_count, dtype=torch.float64)
        draws = torch.randn(self.parameter_count, generator=generator, dtype=torch.float64)
        return draws / math.sqrt(self._columns)

    def _extended(self, features: Tensor) -> Tensor:
        if not self.intercept:
            return features
        ones = features.new_ones(*features.shape[:-1], 1)
        extended: Tensor = torch.cat([features, ones], -1)
        return extended

    def row_gradients(self, theta: Tensor, features: Tensor, target: Tensor) -> Tensor:
        """Residual [R, c] times features [R, d], flat."""
        x = self._extended(features)
        if self.head.outputs == 1:
            return self.head.residual((theta * x).sum(-1, keepdim=True), target) * x
        weights = theta.view(-1, self.head.outputs, self._columns)
        residual = self.head.residual(torch.einsum("rcd,rd->rc", weights, x), target)
        return (residual[:, :, None] * x[:, None, :]).flatten(1)

    def outputs(self, theta: Tensor, features: Tensor) -> Tensor:
        """One matrix product for all copies."""
        weights = theta.reshape(-1, self._columns)
        return (weights @ self._extended(features).T).view(theta.shape[0], self.head.outputs, -1).transpose(1, 2)
