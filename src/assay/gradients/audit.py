"""A check that per-sample gradients are those of the samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from assay.gradients.batches import one_sample
from assay.gradients.recorded import Recorded
from assay.gradients.refusals import LayerError
from assay.gradients.tape import check_losses


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Every module in evaluation mode, and back in its own mode afterwards."""
    modes = {module: module.training for module in model.modules()}
    try:
        model.eval()
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def refuse_mixed_samples(
    model: nn.Module,
    parameters: dict[str, Tensor],
    loss: Callable[..., Tensor],
    batch: tuple[Any, ...],
    recorded: Recorded,
) -> None:
    """Raises LayerError unless the gradient recorded for the last sample is that of a batch of this sample alone.

    Finds what no layer can see: a loss or a module that mixes samples, positions without a batch axis that happen to be as
    many as the samples, weights used outside their layer. `recorded` is of `batch` in evaluation mode.
    """
    row = recorded.samples - 1
    mine = recorded.take(torch.tensor([row])).materialised()
    losses = loss(model, *one_sample(batch, recorded.samples, row))
    check_losses(losses, 1)
    alone = torch.autograd.grad(losses.sum(), list(parameters.values()), allow_unused=True)
    errors, sizes = {}, []
    for (name, value), expected in zip(mine.items(), alone, strict=True):
        errors[name] = float((value[0] if expected is None else value[0] - expected).norm())
        sizes.append(0.0 if expected is None else float(expected.norm()))
    size = max(sum(each**2 for each in sizes) ** 0.5, float(recorded.norms().median()))
    error = sum(each**2 for each in errors.values()) ** 0.5
    dtype = next(iter(mine.values())).dtype
    if error > size * min(0.1, 30 * torch.finfo(dtype).eps ** 0.5):
        name = max(errors, key=lambda each: errors[each])
        limit = (
            f"a sample's gradient in its batch differs from that of the sample alone by {error / max(size, 1e-30):.0%}"
        )
        remedy = "let neither loss nor modules mix samples, and give position ids a batch axis; a random loss needs audit=False"
        raise LayerError(name, limit, remedy)
