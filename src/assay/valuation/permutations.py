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


def orders_within(tables: NDArray[np.int64], orders: Orders) -> Orders:
    """The function from a round's number to rows [replicates, m] in random order, each replicate's from its own table.

    `tables` [replicates, m] holds each replicate's rows, `orders` permutes their places.
    """
    return lambda number: np.take_along_axis(tables, orders(number), axis=1)
