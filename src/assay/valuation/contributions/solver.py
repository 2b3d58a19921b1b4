"""The interface of solvers of marginal contributions; `solver_for` chooses one by model and level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# cheap: one closed-form step from the subset's own fit, and a quadratic expansion of the utility about it.
# exact: what a fit with the point gives, to 1e-4 of the contributions' spread or better.
# refit: two fits by a learner.
Level = Literal["cheap", "exact", "refit"]


@dataclass(frozen=True, eq=False)
class Solved:
    """Contributions delta [n, S] of n points to S subsets, and the subsets' own utilities [S].

    `fits` counts fitted models, `fallbacks` the points that were refitted whole because a quick step was not good enough.
    """

    delta: Floats
    utility: Floats
    fits: int
    fallbacks: int


def gathered(solutions: Sequence[tuple[Floats, float, int]], points: int) -> Solved:
    """One solution of the subsets' contributions [n], utilities and fallbacks; one fit for each subset, one for each fallback."""
    delta = np.stack([each for each, _, _ in solutions], axis=1) if solutions else np.zeros((points, 0))
    fallbacks = sum(again for _, _, again in solutions)
    return Solved(delta, np.array([value for _, value, _ in solutions]), len(solutions) + fallbacks, fallbacks)


class Solver(Protocol):
    """Marginal contributions in one `Setting` (which it is built from)."""

    def shared(self, subsets: Sequence[Integers]) -> Solved:
        """Contributions of every point to every subset (positions in the pool): delta [n, S]."""
        ...

    def fresh(self, subsets: Sequence[Integers], points: Integers) -> Solved:
        """Contribution of point `points[s]` to subset s alone: delta [1, S]."""
        ...
