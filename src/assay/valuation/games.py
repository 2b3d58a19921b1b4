"""Cooperative games small enough to be solved by enumeration: the oracle of every sampler."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

Game = Callable[[Sequence[int]], float]


def exact_semivalue(game: Game, players: int, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Semivalue [players] by evaluating the game on every coalition, 2^players of them; ValueError above 20 players."""
    if players > 20:
        raise ValueError(f"players={players}: enumeration needs 2^players evaluations (sample above 20)")
    worth = {
        coalition: game(coalition) for size in range(players + 1) for coalition in combinations(range(players), size)
    }
    values = np.zeros(players)
    for player in range(players):
        others = [other for other in range(players) if other != player]
        for size in range(players):
            gains = [
                worth[tuple(sorted((*coalition, player)))] - worth[coalition]
                for coalition in combinations(others, size)
            ]
            values[player] += weights[size] * float(np.mean(gains)) / players
    return values


def walk(game: Game, order: NDArray[np.int64]) -> NDArray[np.float64]:
    """Marginal contribution of each player as it joins those before it in `order` [n]."""
    worth = [game(order[:size].tolist()) for size in range(len(order) + 1)]
    return np.diff(worth)
