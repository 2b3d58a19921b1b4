"""Neighbouring relations and the sensitivity each implies for a clipped gradient."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from assay.errors import InputError

Numbers = float | NDArray[np.float64]


class Relation(StrEnum):
    """Pairs of tables that a release must make hard to distinguish.

    ``zero_out``: one row may be replaced by no record: it adds nothing to sums, and where it has a release of its own, a draw
    that depends on no data stands in its slot; which slots there are is public. A row that is present with a value of 0 is
    a changed record, not a missing one. ``add_remove``: one row may be there
    or not; what divides a sum (an expected batch size) is public. ``replace_one``: one row may become any other row.
    """

    ZERO_OUT = "zero_out"
    ADD_REMOVE = "add_remove"
    REPLACE_ONE = "replace_one"

    @property
    def factor(self) -> float:
        """Sensitivity of a sum of vectors in a ball of radius 1: 2 (the diameter) for replace-one, 1 for the others."""
        return 2.0 if self is Relation.REPLACE_ONE else 1.0


@dataclass(frozen=True)
class Sensitivity:
    """The L2 distance by which one release can move under a neighbouring relation.

    Noise is calibrated from this object, never from a bare number, so that a release whose clipping norm or
    relation differs from the one accounted for cannot be made.
    """

    max_grad_norm: float
    relation: Relation

    def __post_init__(self) -> None:
        if not self.max_grad_norm > 0:
            raise InputError("privacy.max_grad_norm", self.max_grad_norm, "must be > 0", "1.0 is a usual start")

    @property
    def value(self) -> float:
        """The L2 sensitivity itself, in units of the gradient."""
        return self.relation.factor * self.max_grad_norm

    def release_mu(self, noise_multiplier: Numbers) -> Numbers:
        """GDP parameter mu of one Gaussian release whose noise has deviation noise_multiplier * max_grad_norm."""
        return self.relation.factor / noise_multiplier
