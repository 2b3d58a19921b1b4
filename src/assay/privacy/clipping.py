"""Bounds on one row's share of a release: rules for sums over a batch, and the clip of vectors and numbers of single rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from assay.gradients.clipping import Automatic, Clipping, Flat, PerLayer, shrinkage
from assay.privacy.relations import Sensitivity

RULES: dict[str, Callable[[float], Clipping]] = {"flat": Flat, "per_layer": PerLayer, "automatic": Automatic}
"""Rules for sums over a batch, by the value of privacy.clipping."""


@dataclass(frozen=True)
class Clip:
    """Scales vectors along the last axis to an L2 norm of at most the clipping norm, and carries the sensitivity of the result.

    A vector that is not finite becomes zero, so that it cannot pass unclipped. The limit is lowered by `roundings` units in
    the last place; a mean of m clipped vectors needs m more than its members.

    Guarantee: a clipped vector moves by at most `sensitivity.value` under the sensitivity's relation.
    """

    sensitivity: Sensitivity
    roundings: int = 8

    def __call__(self, vectors: Tensor) -> Tensor:
        """g min(1, C / |g|) for vectors [..., P]."""
        norms = torch.linalg.vector_norm(vectors, dim=-1, keepdim=True)
        factors = shrinkage(norms, self.sensitivity.max_grad_norm, self.roundings)
        return torch.where(norms.isfinite(), vectors * factors, 0.0)


def clipped_numbers(numbers: Tensor, clip: float) -> Tensor:
    """Numbers in units of the clip, drawn in to [-1, 1]; one that is not finite becomes 0."""
    return torch.where(numbers.isfinite(), numbers / clip, 0.0).clamp(-1, 1)
