"""Batches of a Poisson sample, in as many parts as memory asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assay.privacy.poisson import PoissonSampler


@dataclass
class PoissonLoader:
    """Yields each step's Poisson batch of `tensors`, cut into `parts` batches that share no row.

    Set the Trainer's `accumulate_grad_batches` to `parts`: a step is then one Poisson sample, whatever the memory holds.
    A part without rows is yielded as one row that does not count, since networks have no empty batches; `rows_of` says so.
    """

    tensors: Sequence[Tensor]
    sampler: PoissonSampler
    steps: int
    first: int = 0
    parts: int = 1

    def __len__(self) -> int:
        return (self.steps - self.first) * self.parts

    def rows_of(self, step: int, part: int) -> NDArray[np.int64]:
        """Positions of the rows of one part of a step's batch, in ascending order; possibly none."""
        return np.array_split(self.sampler.batch(step), self.parts)[part]

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        for step in range(self.first, self.steps):
            for part in range(self.parts):
                rows = self.rows_of(step, part)
                index = torch.from_numpy(rows if len(rows) else np.zeros(1, dtype=np.int64))
                yield tuple(tensor[index.to(tensor.device)] for tensor in self.tensors)
