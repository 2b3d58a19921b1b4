"""Participation of clients in the rounds of federated training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.errors import InputError


@dataclass(frozen=True, eq=False)
class Participation:
    """The clients of each round, drawn before any data is read and public.

    Since everybody sees who takes part, nothing is gained by the sampling (no amplification): a client pays for each
    participation, and noise is calibrated to the client that takes part most often.
    """

    rounds: tuple[NDArray[np.int64], ...]
    clients: int

    @property
    def counts(self) -> NDArray[np.int64]:
        """Participations of each client [clients]."""
        return np.bincount(np.concatenate(self.rounds), minlength=self.clients)

    @property
    def most(self) -> int:
        """Participations of the client that takes part most often; 1 at the least."""
        return max(1, int(self.counts.max()))


def draw_participation(
    clients: int,
    rounds: int,
    fraction: float,
    sampling: str,
    most: int | None,
    generator: Callable[[int], np.random.Generator],
) -> Participation:
    """A fraction of the clients for each round: round(fraction * clients) of them, or each by a coin (sampling=poisson).

    `most` caps the participations of a client: who has reached it is not drawn again. ``generator(t)`` is the stream of
    round t, from 1. Raises InputError when the cap leaves too few clients for the rounds.
    """
    size = max(1, round(fraction * clients))
    if most is not None and size * rounds > most * clients:
        reason = (
            f"{rounds} rounds of {size} need {-(-size * rounds // clients)} participations of each of {clients} clients"
        )
        raise InputError("task.participations", most, reason, "raise it, or lower task.fraction or the rounds")
    counts = np.zeros(clients, dtype=np.int64)
    chosen: list[NDArray[np.int64]] = []
    for number in range(1, rounds + 1):
        keys = generator(number).random(clients)
        able = np.flatnonzero(counts < most) if most is not None else np.arange(clients)
        if sampling == "poisson":
            now = able[keys[able] < fraction]
        else:
            now = _without_waste(able[np.argsort(keys[able])][:size], counts, most, size, rounds - number, keys)
        counts[now] += 1
        chosen.append(now)
    return Participation(tuple(chosen), clients)


def _without_waste(
    drawn: NDArray[np.int64],
    counts: NDArray[np.int64],
    most: int | None,
    size: int,
    follow: int,
    keys: NDArray[np.float64],
) -> NDArray[np.int64]:
    """The clients drawn, unless the `follow` rounds to come could then not be filled: then those with most left to give."""
    if most is not None:
        after = most - counts
        after[drawn] -= 1
        if np.minimum(after, follow).sum() < size * follow:
            drawn = np.lexsort((keys, counts))[:size]
    return np.sort(drawn)
