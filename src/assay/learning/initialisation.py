"""Starting points that reveal nothing about the private rows."""

from __future__ import annotations

import torch
from torch import Tensor

from assay.learning.models.replicated import ReplicatedModel


def public_start(
    model: ReplicatedModel, how: str, features: Tensor, target: Tensor, generator: torch.Generator
) -> Tensor:
    """Starting parameters [P] from constants, from a seed, or fitted on public rows.

    `how`: auto (zeros, or random where zeros cannot train), zeros, random, or public: the random start fitted on the
    public rows features [m, d] and target [m] by L-BFGS with a small ridge (1e-4). Guarantee: no private row is read.
    """
    if how == "auto":
        how = "zeros" if model.trains_from_zeros else "random"
    if how != "public":
        return model.initial(how, generator)
    theta = model.initial("random", generator).to(features).requires_grad_()
    solver = torch.optim.LBFGS([theta], max_iter=200, line_search_fn="strong_wolfe")

    def objective() -> Tensor:
        solver.zero_grad()
        loss: Tensor = (
            model.head.loss(model.outputs(theta[None], features), target).mean() + 1e-4 * theta.square().sum()
        )
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    with torch.enable_grad():
        solver.step(objective)  # type: ignore[no-untyped-call, unused-ignore]
    return theta.detach().double()
