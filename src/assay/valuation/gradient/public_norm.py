"""Clipping norms that reveal nothing about the private rows."""

from __future__ import annotations

import torch
from torch import Tensor

from assay.errors import InputError
from assay.learning.models.replicated import ReplicatedModel

ROOM = 8_000_000  # numbers of the rows' gradients in memory at a time


@torch.no_grad()
def public_norm(model: ReplicatedModel, start: Tensor, features: Tensor, target: Tensor, quantile: float) -> float:
    """A quantile of the L2 norms of the gradients of public rows, features [m, d] and target [m], at a start [P].

    Raises InputError when it is 0. Guarantee: a function of the start and of the public rows alone; no private row is read,
    so that the norm costs no privacy where the start is public too. [derived]
    """
    block = max(1, ROOM // model.parameter_count)
    parts = zip(torch.split(features, block), torch.split(target, block), strict=True)
    gradients = (model.row_gradients(start.to(x).expand(len(x), -1), x, y) for x, y in parts)
    norms = torch.cat([torch.linalg.vector_norm(gradient, dim=-1) for gradient in gradients]).double()
    norm = float(norms.quantile(quantile))
    if not norm > 0:
        limit = "the valid rows' gradients vanish at the start up to this quantile"
        raise InputError("privacy.clip_quantile", quantile, limit, "raise it, or use valuation.initialisation=random")
    return norm
