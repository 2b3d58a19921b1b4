"""Minibatches of tensors in memory, in a new order each epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class ShuffledBatches:
    """Batches of `size` rows of tensors [n, ...]; each epoch's order is drawn from `generator`, never from the global RNG.

    A batch is one look-up in each tensor, where a DataLoader collates row by row. The order of an epoch is drawn when its
    first batch is asked for.
    """

    tensors: Sequence[Tensor]
    size: int
    generator: torch.Generator

    def __len__(self) -> int:
        return -(-len(self.tensors[0]) // self.size)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        order = torch.randperm(len(self.tensors[0]), generator=self.generator)
        for rows in torch.split(order, self.size):
            yield tuple(each[rows] for each in self.tensors)
