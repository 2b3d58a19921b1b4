"""Random orders of the rows, named by round."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from assay.runs.streams import Streams

Orders = Callable[[int], NDArray[np.int64]]


def random_orders(streams: Streams, rows: int, replicates: int, *purpose: str) -> Orders:
    """The function from a round's number to its permutations [replicates, rows].

    A round's orders depend on the seed, the purpose and the number alone, and those of a replicate not on how many others
    there are.
    """

    def orders(number: int) -> NDArray[np.int64]:
        keys = streams.generator("permutations", *purpose, number).random((replicates, rows))
        return np.argsort(keys, axis=1, kind="stable")

    return orders
