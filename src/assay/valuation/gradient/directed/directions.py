"""Gradients of utilities along public trajectories, the subspace these span, and public rows that judge."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from assay.learning.models.replicated import ReplicatedModel, path_utility
from assay.learning.modules.permutation_pass import Rows
from assay.valuation.gradient.directed.row_effects import row_slopes

ROOM = 4_000_000
"""Numbers of the parameters or outputs of copies that are worked on at a time."""


def parts_by_target(rows: Rows, classes: int) -> list[Rows]:
    """Public rows class by class, or below and above the median target where there are no classes; no part is empty."""
    label = rows.target.long() if classes else (rows.target > rows.target.median()).long()
    return [Rows(rows.features[label == each], rows.target[label == each]) for each in torch.unique(label).tolist()]


def utility_gradients(model: ReplicatedModel, paths: Tensor, judges: Rows) -> Tensor:
    """Gradient of minus the mean loss on `judges` at every place of paths [M, T, P], in the mean over paths; [T, P]."""
    places = []
    for thetas in paths.unbind(1):
        total = torch.zeros_like(thetas[0])
        for copies in torch.split(thetas, max(1, ROOM // thetas.shape[1])):
            leaf = copies.clone().requires_grad_()
            reached = path_utility(model, leaf, judges.features, judges.target, "negative_loss").sum()
            total += torch.autograd.grad(reached, leaf)[0].sum(0)
        places.append(total / len(thetas))
    return torch.stack(places)


def gradient_subspace(gradients: Sequence[Tensor], dimensions: int) -> Tensor:
    """Orthonormal basis [P, r]: the top right singular vectors of the gradients [T, P] of all utilities, weighed alike."""
    stacked = torch.cat([each / each.norm().clamp(min=torch.finfo(each.dtype).tiny) for each in gradients])
    vectors: Tensor = torch.linalg.svd(stacked, full_matrices=dimensions > min(stacked.shape))[2]
    return vectors[:dimensions].T.contiguous()


def projected_gradients(model: ReplicatedModel, thetas: Tensor, rows: Rows, basis: Tensor) -> Tensor:
    """Mean over thetas [K, P] of each row's gradient in the coordinates of a basis [P, r]; [n, r] in double precision.

    Each result depends on its own row and on what is public alone.
    """
    block = max(1, ROOM // (len(rows) * max(model.widest, 1)))
    columns = []
    for direction in basis.unbind(1):
        total = torch.zeros(len(rows), dtype=torch.float64, device=thetas.device)
        for some in torch.split(thetas, block):
            total += row_slopes(model, some, rows, direction).double().sum(0)
        columns.append(total / len(thetas))
    return torch.stack(columns, dim=1)
