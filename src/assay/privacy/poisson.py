"""Poisson samples of rows, the ones that amplification by sampling is proved for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from assay.errors import InputError


@dataclass(frozen=True)
class PoissonSampler:
    """Draws each step's batch by one independent coin for each row; the only thing that may claim amplification.

    `generator(step)` is a fresh generator for each step, so that a resumed run draws what the killed one would have drawn;
    whoever knows it knows who took part, which voids the amplification: keep the seed secret. A batch may be empty: the
    step is made all the same, of noise alone. Divide by `expected_batch_size`, never by the size of a batch, which depends
    on who is there.

    Guarantee: every row is in a batch at most once, with probability `sample_rate` (to 2^-53), independently of the others.
    """

    rows: int
    sample_rate: float
    generator: Callable[[int], np.random.Generator]

    def __post_init__(self) -> None:
        if self.rows < 1:
            raise InputError("rows", self.rows, "must be >= 1", "an empty table has nobody to sample")
        if not 0 < self.sample_rate <= 1:
            raise InputError("sample_rate", self.sample_rate, "must lie in (0, 1]", "expected batch size over rows")

    @classmethod
    def of_batch_size(
        cls, rows: int, batch_size: float, generator: Callable[[int], np.random.Generator]
    ) -> PoissonSampler:
        """The sampler whose batches hold `batch_size` rows on average; raises InputError unless 0 < batch_size <= rows."""
        if not 0 < batch_size <= rows:
            raise InputError("batch_size", batch_size, f"must be > 0 and at most the {rows} rows", "e.g. 256")
        return cls(rows, batch_size / rows, generator)

    @property
    def expected_batch_size(self) -> float:
        """Rows of a batch on average."""
        return self.rows * self.sample_rate

    def of_table(self, rows: int) -> PoissonSampler:
        """The sampler of a table of another number of rows: the same rate, and the same coins for the rows that both have."""
        return replace(self, rows=rows)

    def serves(self, stated: PoissonSampler) -> bool:
        """True where it draws by the rate and the coins of a stated sampler, whatever the number of rows."""
        return self.of_table(stated.rows) == stated

    def batch(self, step: int) -> NDArray[np.int64]:
        """Positions of the rows that take part in `step` (from 0), ascending; possibly none."""
        return np.flatnonzero(self.generator(step).random(self.rows) < self.sample_rate).astype(np.int64)

    def batches(self, first: int, last: int) -> Iterator[NDArray[np.int64]]:
        """The batches of the steps from `first` up to and without `last`."""
        return (self.batch(step) for step in range(first, last))

    def verify(self, step: int, rows: NDArray[np.int64]) -> None:
        """Raises ValueError unless `rows`, in any order, is the batch of `step`.

        A loader that repeats a row, drops the last batch or samples at another rate takes part in steps that nobody has
        accounted for.
        """
        drawn = self.batch(step)
        if len(np.unique(rows)) < len(rows):
            raise ValueError(f"step {step}: a row stands twice in the batch, which doubles what it can change")
        if not np.array_equal(np.sort(rows), drawn):
            raise ValueError(
                f"step {step}: the batch has {len(rows)} rows and the sampler drew {len(drawn)} "
                f"(sample rate {self.sample_rate:g}): load the batches of PoissonSampler.batch"
            )
