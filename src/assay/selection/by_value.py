"""Picks of the rows of highest value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from assay.valuation.contributions.subsets import proportional

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.arrays import Floats, Integers


def top(score: Floats, count: int, labels: NDArray[Any] | None) -> Integers:
    """Positions of the `count` highest scores, as many of each class as all have of it; ties go to the earlier row."""
    order = np.argsort(-score, kind="stable")
    if labels is None:
        return order[:count]
    classes, sizes = np.unique(labels, return_counts=True)
    shares = proportional(sizes, count, np.random.default_rng(0))
    by_class = [order[labels[order] == label][:share] for label, share in zip(classes, shares, strict=True)]
    return np.concatenate(by_class)
