"""Marginal contributions of rows at given parameters."""

from __future__ import annotations

import torch
from torch import Tensor

from assay.learning.models.replicated import ReplicatedModel, path_utility
from assay.learning.modules.permutation_pass import Rows

LARGEST_EXACT = 256
"""Parameters up to which contributions are differences of utilities, not their first-order part."""


def mean_contributions(
    model: ReplicatedModel, thetas: Tensor, rows: Rows, valid: Rows, *, learning_rate: float, utility: str
) -> Tensor:
    """Mean over thetas [K, P] of V(theta - learning_rate * g_j(theta)) - V(theta), for each row j; [n] in double precision.

    Small models and the accuracy, which has no derivative, take the difference itself. Others take its first-order part
    -learning_rate * <grad V, g_j>, as a directional derivative of each row's loss along grad V: two forward passes over all
    rows instead of a gradient of each. Each result depends on its own row and on what is public alone.
    """
    exact = utility == "accuracy" or model.parameter_count <= LARGEST_EXACT
    one = _differences if exact else _first_order
    total = torch.zeros(len(rows), dtype=torch.float64, device=thetas.device)
    for theta in thetas:
        total += one(model, theta, rows, valid, learning_rate, utility).double()
    return total / len(thetas)


@torch.no_grad()
def _differences(
    model: ReplicatedModel, theta: Tensor, rows: Rows, valid: Rows, learning_rate: float, utility: str
) -> Tensor:
    moved = theta - learning_rate * model.row_gradients(theta.expand(len(rows), -1), rows.features, rows.target)
    before = path_utility(model, theta[None], valid.features, valid.target, utility)
    return path_utility(model, moved, valid.features, valid.target, utility) - before


def _first_order(
    model: ReplicatedModel, theta: Tensor, rows: Rows, valid: Rows, learning_rate: float, utility: str
) -> Tensor:
    def value(parameters: Tensor) -> Tensor:
        return path_utility(model, parameters[None], valid.features, valid.target, utility)[0]

    return -learning_rate * row_slopes(model, theta[None], rows, torch.func.grad(value)(theta))[0]


def row_slopes(model: ReplicatedModel, thetas: Tensor, rows: Rows, direction: Tensor) -> Tensor:
    """Inner products [K, n] of each row's gradient at thetas [K, P] with a direction [P], without writing gradients out."""

    def outputs(parameters: Tensor) -> Tensor:
        return model.outputs(parameters, rows.features)

    tangent = direction.expand_as(thetas)
    along: tuple[Tensor, Tensor] = torch.func.jvp(outputs, (thetas,), (tangent,))  # type: ignore[assignment]
    with torch.no_grad():
        slope: Tensor = (model.head.residual(along[0], rows.target) * along[1]).sum(-1)
    return slope
