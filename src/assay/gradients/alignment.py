"""Angles between each sample's gradient and one direction."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from assay.errors import InputError


@dataclass(frozen=True)
class Alignment:
    """Inner products `dots` [N] of gradients of norms `norms` [N] with a direction of norm `direction_norm` ([] or [N])."""

    dots: Tensor
    norms: Tensor
    direction_norm: Tensor

    @property
    def cosines(self) -> Tensor:
        """Cosines [N], zero where a norm is zero, between -1 and 1 whatever the rounding."""
        return (self.dots / (self.norms * self.direction_norm + 1e-12)).clamp(-1, 1)

    def without_self(self, rows: int) -> Alignment:
        """The same against the mean over the other rows, if the direction is the mean gradient of `rows` rows with this one.

        dot' = (R dot - n^2) / (R - 1) and N'^2 = (R^2 N^2 - 2 R dot + n^2) / (R - 1)^2.
        Raises InputError for fewer than two rows.
        """
        if rows < 2:
            raise InputError("rows", rows, "must be >= 2", "nothing is left of a mean without its only row")
        square = self.norms.square()
        dots = (rows * self.dots - square) / (rows - 1)
        others = (rows**2 * self.direction_norm.square() - 2 * rows * self.dots + square).clamp(min=0)
        return Alignment(dots, self.norms, others.sqrt() / (rows - 1))
