"""Gradients that are sums of outer products, as those of every linear map."""

from __future__ import annotations

import torch
from torch import Tensor

from assay.gradients.factors.base import Factor, chunks
from assay.gradients.factors.dense import Dense
from assay.gradients.factors.pass_tensor import PassTensor


class Outer(Factor):
    """g_n = sum_t r_nt c_nt^T of `rows` [N, ..., d] and `columns` [N, ..., p]; the shape is [d, p].

    Norms of one position are products of norms; of several, the ghost identity |g_n|^2 = <R R^T, C C^T>, source: Li et al.,
    arXiv 2110.05679, section 4.
    """

    def __init__(self, rows: PassTensor, columns: PassTensor) -> None:
        self._rows, self._columns = rows, columns
        rows.users += 1
        columns.users += 1
        value = rows.value
        self.samples = value.shape[0]
        self.shape = torch.Size((value.shape[-1], columns.value.shape[-1]))
        self._positions = value.shape[1:-1].numel()

    def squared_norms(self) -> Tensor:
        """|R|^2 |C|^2, or <R R^T, C C^T> for several positions."""
        if self._positions == 1:
            return self._rows.squares() * self._columns.squares()
        return (self._rows.gram() * self._columns.gram()).flatten(1).sum(1).clamp(min=0)

    def weighted_sum(self, weights: Tensor, out: Tensor | None = None) -> Tensor:
        """R^T diag(w) C over all samples and positions: one product, the book-keeping of Bu et al., arXiv 2210.00038."""
        scale_columns = self.shape[1] <= self.shape[0]
        rows = self._rows.value if scale_columns else self._rows.scaled(weights)
        columns = self._columns.scaled(weights) if scale_columns else self._columns.value
        if rows.dim() > 2:
            rows, columns = rows.reshape(-1, self.shape[0]), columns.reshape(-1, self.shape[1])
        product: Tensor = torch.mm(rows.mT, columns, out=out)
        return product

    def dots(self, direction: Tensor) -> Tensor:
        """sum_t r_nt^T V c_nt."""
        if self.shape[0] < self.shape[1]:
            return ((self._columns.flat() @ direction.mT) * self._rows.flat()).flatten(1).sum(1)
        return ((self._rows.flat() @ direction) * self._columns.flat()).flatten(1).sum(1)

    def materialised(self) -> Tensor:
        """R^T C."""
        return self._rows.flat().mT @ self._columns.flat()

    def take(self, index: Tensor | slice) -> Outer:
        """The same for some of the samples."""
        return Outer(self._rows.take(index), self._columns.take(index))

    def inner(self, other: Factor) -> Tensor:
        """<R R'^T, C C'^T> of each sample."""
        if not isinstance(other, Outer):
            return super().inner(other)
        rows = self._rows.flat() @ other._rows.flat().mT
        return (rows * (self._columns.flat() @ other._columns.flat().mT)).flatten(1).sum(1)

    def gram(self, other: Factor) -> Tensor:
        """<R_n R'_m^T, C_n C'_m^T>, or by writing out some samples at a time where that takes fewer products."""
        if not isinstance(other, Outer):
            return super().gram(other)
        pairs, size = self.samples * other.samples, self.shape.numel()
        if pairs == 0:
            return self._rows.value.new_zeros(self.samples, other.samples)
        by_identity = pairs * self._positions * other._positions * sum(self.shape)
        positions = self.samples * self._positions + other.samples * other._positions
        if by_identity > positions * size + pairs * size:
            return super().gram(other)
        parts = []
        for some in chunks(self.samples, self._positions * other.samples * other._positions):
            products = [
                mine.flat()[some].flatten(0, 1) @ theirs.flat().flatten(0, 1).mT
                for mine, theirs in ((self._rows, other._rows), (self._columns, other._columns))
            ]
            shape = (-1, self._positions, other.samples, other._positions)
            parts.append((products[0] * products[1]).reshape(shape).sum((1, 3)))
        return torch.cat(parts)


def outer_products(rows: PassTensor, columns: PassTensor) -> Factor:
    """Gradients sum_t r_nt c_nt^T, written out where they have no more numbers than `rows` and `columns` together."""
    shape = (rows.value.shape[-1], columns.value.shape[-1])
    positions = rows.value.shape[1:-1].numel()
    if positions > 1 and shape[0] * shape[1] <= positions * sum(shape):
        return Dense(rows.flat().mT @ columns.flat())
    return Outer(rows, columns)
