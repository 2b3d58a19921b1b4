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


def antithetic_orders(orders: Orders) -> Orders:
    """Pairs of permutations: round 2i takes that of round 2i - 1 from its end.

    Each permutation by itself is as random as before, so that values stay unbiased; a row met early in one round is met
    late in the next, which takes out the part of a marginal contribution that is monotone in the position. The two
    rounds of a pair are dependent: the pairs, not the rounds, are the independent units of a standard error.
    Source: Mitchell, Cooper, Frank & Holmes 2022, "Sampling permutations for Shapley value estimation", section 3.1.
    """

    def paired(number: int) -> NDArray[np.int64]:
        return orders(number) if number % 2 else orders(number - 1)[:, ::-1]

    return paired
