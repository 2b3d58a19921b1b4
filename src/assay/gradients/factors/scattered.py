"""Gradients of a table of which each sample touches few rows."""

from __future__ import annotations

import torch
from torch import Tensor

from assay.gradients.factors.base import Factor, chunks
from assay.gradients.factors.outer import Outer
from assay.gradients.factors.pass_tensor import PassTensor


class Scattered(Factor):
    """g_n has row `ids`_nt increased by `rows`_nt, for each t: ids [N, ...], rows [N, ..., d]; the shape is [entries, d]."""

    def __init__(self, ids: PassTensor, rows: PassTensor, entries: int) -> None:
        self._ids, self._rows = ids, rows
        rows.users += 1
        self.samples = len(rows.value)
        self.shape = torch.Size((entries, rows.value.shape[-1]))

    @property
    def _flat_ids(self) -> Tensor:
        return self._ids.value.reshape(self.samples, -1)

    def squared_norms(self) -> Tensor:
        """Sum over pairs of positions with the same id of the product of their rows."""
        ids = self._flat_ids
        if ids.shape[1] == 1:
            return self._rows.squares()
        same = ids[:, :, None] == ids[:, None, :]
        return (self._rows.gram() * same).flatten(1).sum(1).clamp(min=0)

    def weighted_sum(self, weights: Tensor, out: Tensor | None = None) -> Tensor:
        """Rows times weights, added where their ids say."""
        scaled = self._rows.scaled(weights).reshape(self._ids.value.shape + self.shape[1:])
        return torch.ops.aten.embedding_dense_backward(scaled, self._ids.value, self.shape[0], -1, False)  # type: ignore[no-any-return]

    def dots(self, direction: Tensor) -> Tensor:
        """sum_t <r_nt, V[ids_nt]>."""
        return (self._rows.flat() * direction[self._flat_ids]).flatten(1).sum(1)

    def materialised(self) -> Tensor:
        """The tables [N, entries, d]."""
        rows, ids = self._rows.flat(), self._flat_ids
        tables = rows.new_zeros(self.samples, *self.shape)
        return tables.scatter_add_(1, ids[:, :, None].expand_as(rows), rows)

    def take(self, index: Tensor | slice) -> Scattered:
        """The same for some of the samples."""
        return Scattered(self._ids.take(index), self._rows.take(index), self.shape[0])

    def inner(self, other: Factor) -> Tensor:
        """Products of rows that meet in one table; with a linear map that shares the table, the entries it touches."""
        ids, rows = self._flat_ids, self._rows.flat()
        if isinstance(other, Scattered):
            same = ids[:, :, None] == other._flat_ids[:, None, :]
            return ((rows @ other._rows.flat().mT) * same).flatten(1).sum(1)
        if isinstance(other, Outer):
            theirs = other._rows.flat()
            touched = theirs.gather(2, ids[:, None, :].expand(-1, theirs.shape[1], -1))
            return (touched * (other._columns.flat() @ rows.mT)).flatten(1).sum(1)
        return super().inner(other)

    def gram(self, other: Factor) -> Tensor:
        """The same between all samples of two batches."""
        if not isinstance(other, Scattered):
            return super().gram(other)
        ids, rows = self._flat_ids, self._rows.flat()
        their_ids, their_rows = other._flat_ids.flatten(), other._rows.flat().flatten(0, 1)
        shape = (-1, ids.shape[1], other.samples, other._flat_ids.shape[1])
        parts = []
        for some in chunks(self.samples, ids.shape[1] * len(their_ids)):
            same = ids[some].flatten()[:, None] == their_ids
            parts.append(((rows[some].flatten(0, 1) @ their_rows.mT) * same).reshape(shape).sum((1, 3)))
        return torch.cat(parts)
