"""One training step that clips every sample's gradient, as we and peers make it, and the plain step beside it.

Imports neither assay nor a peer until their step is asked for, so that each can be timed in an environment of its own.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from experiments.benchmarks.models import Task

LEARNING_RATE, MAX_GRAD_NORM = 1e-3, 1.0
Step = Callable[[], object]


def _descend(parameters: list[Tensor], gradients: list[Tensor]) -> None:
    """One step of gradient descent: the same in every variant."""
    with torch.no_grad():
        torch._foreach_add_(parameters, gradients, alpha=-LEARNING_RATE)


def _trained(model: nn.Module) -> dict[str, Tensor]:
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def plain(task: Task) -> Step:
    """Forward, backward and update, without clipping."""
    parameters = list(_trained(task.model).values())

    def step() -> None:
        task.model.zero_grad()
        task.losses(task.model, *task.batch).sum().backward()
        _descend(parameters, [parameter.grad for parameter in parameters if parameter.grad is not None])

    return step


def ours(task: Task) -> Step:
    """assay.gradients."""
    from assay.gradients import PerSampleGradients

    engine = PerSampleGradients(task.model)
    parameters, gradients = _trained(task.model), dict[str, Tensor]()

    def step() -> None:
        nonlocal gradients
        gradients = engine.record(task.losses, *task.batch).clipped_sum(MAX_GRAD_NORM, out=gradients).gradients
        _descend(list(parameters.values()), [gradients[name] for name in parameters])

    return step


def ghost(task: Task) -> Step:
    """Opacus, ghost clipping: a second backward pass of the weighted losses."""
    from opacus.grad_sample import GradSampleModuleFastGradientClipping

    model = GradSampleModuleFastGradientClipping(
        task.model, batch_first=True, loss_reduction="sum", max_grad_norm=MAX_GRAD_NORM, use_ghost_clipping=True
    )
    parameters = list(_trained(model).values())

    def step() -> None:
        model.zero_grad()
        losses = task.losses(model, *task.batch)
        losses.sum().backward(retain_graph=True)
        weights = model.get_clipping_coef()
        model.zero_grad()
        model.disable_hooks()
        (losses * weights).sum().backward()
        model.enable_hooks()
        _descend(parameters, [parameter.grad for parameter in parameters if parameter.grad is not None])

    return step


def hooks(task: Task) -> Step:
    """Opacus, gradients of every sample written out by hooks."""
    from opacus.grad_sample import GradSampleModule

    model = GradSampleModule(task.model, batch_first=True, loss_reduction="sum")
    parameters = list(_trained(model).values())

    def step() -> None:
        model.zero_grad()
        task.losses(model, *task.batch).sum().backward()
        _descend(parameters, _clipped([parameter.grad_sample for parameter in parameters]))
        for parameter in parameters:
            parameter.grad_sample = None

    return step


def vmap(task: Task) -> Step:
    """torch.func.vmap of grad over the whole model."""
    parameters = _trained(task.model)

    def loss_of_one(values: dict[str, Tensor], *row: Tensor) -> Tensor:
        def call(*inputs: Tensor) -> Tensor:
            return torch.func.functional_call(task.model, values, inputs)

        return task.losses(call, *(each[None] for each in row))[0]

    each = torch.func.vmap(torch.func.grad(loss_of_one), (None, *(0 for _ in task.batch)))

    def step() -> None:
        gradients = each({name: value.detach() for name, value in parameters.items()}, *task.batch)
        _descend(list(parameters.values()), _clipped(list(gradients.values())))

    return step


def _clipped(samples: list[Tensor]) -> list[Tensor]:
    """Clipped sums of gradients that were written out."""
    norms = torch.stack([each.flatten(1).norm(dim=1) for each in samples]).norm(dim=0)
    weights = (MAX_GRAD_NORM / (norms + 1e-6)).clamp(max=1)
    return [(weights @ each.flatten(1)).reshape(each.shape[1:]) for each in samples]


VARIANTS: dict[str, Callable[[Task], Step]] = {
    "plain": plain,
    "ours": ours,
    "ghost": ghost,
    "hooks": hooks,
    "vmap": vmap,
}
