"""Per-sample gradients of any model that torch.func can vectorise; they are written out, N x P numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from assay.errors import AssayError
from assay.gradients.batches import sample_axes
from assay.gradients.factors import Dense
from assay.gradients.plan import Plan
from assay.gradients.recorded import Recorded
from assay.gradients.tape import check_losses

Loss = Callable[..., Tensor]
"""loss(model, *batch) -> losses [N], one a sample."""


class _Losses(nn.Module):
    """The loss as a module, so that parameters can be passed to it."""

    def __init__(self, model: nn.Module, loss: Loss) -> None:
        super().__init__()
        self.model, self._loss = model, loss

    def forward(self, *batch: Any) -> Tensor:
        """Losses [N]."""
        return self._loss(self.model, *batch)


def record_by_vmap(model: nn.Module, plan: Plan, loss: Loss, batch: tuple[Any, ...], samples: int) -> Recorded:
    """Gradients of each sample alone, by torch.func.vmap over the whole model."""
    losses_of = _Losses(model, loss)
    axes = sample_axes(batch, samples)

    def loss_of_one(parameters: dict[str, Tensor], *row: Any) -> tuple[Tensor, Tensor]:
        alone = tree_map(lambda axis, leaf: leaf if axis is None else leaf.unsqueeze(0), axes, row, is_leaf=_is_none)
        named = {f"model.{name}": value for name, value in parameters.items()}
        losses = torch.func.functional_call(losses_of, named, alone)
        check_losses(losses, 1)
        return losses[0], losses[0].detach()

    parameters = {name: value.detach() for name, value in plan.parameters.items()}
    each = torch.func.vmap(torch.func.grad(loss_of_one, has_aux=True), (None, *axes), randomness="different")
    try:
        gradients, losses = each(parameters, *batch)
    except RuntimeError as error:
        first = str(error).splitlines()[0]
        raise AssayError(f"model={type(model).__name__}: torch.func.vmap cannot vectorise it: {first}") from error
    factors = {name: Dense(value, name) for name, value in gradients.items()}
    return Recorded(plan.parameters, factors, samples, losses)


def _is_none(leaf: object) -> bool:
    return leaf is None
