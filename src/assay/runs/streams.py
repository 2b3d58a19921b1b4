"""Independent random streams of one seed, keyed by what they are for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Streams:
    """Random generators spawned from one seed (an integer >= 0), one per purpose.

    A stream depends on the seed and its purpose alone, not on which other streams were asked for or in what order,
    so any number of workers and a resumed run draw the same numbers.

    >>> bool(Streams(0).generator("noise", 3).random() == Streams(0).generator("noise", 3).random())
    True
    """

    seed_value: int

    def generator(self, *purpose: str | int) -> np.random.Generator:
        """A fresh generator at the start of the stream of this purpose, e.g. ("permutations", 7)."""
        return np.random.Generator(np.random.PCG64(self._sequence(purpose)))

    def seed(self, *purpose: str | int) -> int:
        """63 random bits for libraries that take an integer seed."""
        return int(self._sequence(purpose).generate_state(1, np.uint64)[0]) >> 1

    def _sequence(self, purpose: tuple[str | int, ...]) -> np.random.SeedSequence:
        if not purpose:
            raise ValueError("a random stream needs a purpose")
        # numpy's integers print as np.int64(3): the same purpose must not depend on who counted
        words = tuple(part if isinstance(part, str) else int(part) for part in purpose)
        digest = hashlib.sha256(repr(words).encode()).digest()
        key = tuple(int.from_bytes(digest[start : start + 4], "little") for start in range(0, 32, 4))
        return np.random.SeedSequence(entropy=self.seed_value, spawn_key=key)
