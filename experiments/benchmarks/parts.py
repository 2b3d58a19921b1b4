"""Parts of a step of a convolutional model, timed alone: how much of it per-sample gradients of kernels cannot do without."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from experiments.benchmarks.models import Task
from experiments.benchmarks.steps import Step

CHUNK = 64
"""Samples whose patches are copied at a time, so that they are still in the processor's cache when they are used."""


def products(task: Task) -> Step:
    """The least that gradients of every sample take: patches copied, and multiplied with the gradients of outputs."""
    works = [product(module, images, outputs) for module, images, outputs in convolutions(task)]
    return lambda: [work() for work in works]


def kernel_gradients(task: Task) -> Step:
    """The work of the plain step for the gradients of the same kernels, which then falls away."""
    works = [
        partial(torch.nn.grad.conv2d_weight, images, module.weight.shape, outputs, module.stride)
        for module, images, outputs in convolutions(task)
    ]
    return lambda: [work() for work in works]


def convolutions(task: Task) -> list[tuple[nn.Conv2d, Tensor, Tensor]]:
    """Every convolution (without padding, dilation or groups) with its input and something of its output's shape."""
    layers: list[tuple[nn.Conv2d, Tensor, Tensor]] = []

    def note(module: nn.Conv2d, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        layers.append((module, inputs[0].detach(), torch.randn(output.shape)))

    handles = [each.register_forward_hook(note) for each in task.model.modules() if isinstance(each, nn.Conv2d)]
    task.losses(task.model, *task.batch)
    for handle in handles:
        handle.remove()
    return layers


def product(module: nn.Conv2d, images: Tensor, outputs: Tensor) -> Callable[[], Tensor]:
    """Writes the gradients of every sample: [N, kernels, patch] in the order kh, kw, C, or [N, patch, kernels]."""
    (height, width), kernels, chunk = module.kernel_size, module.out_channels, min(CHUNK, len(images))
    channels_last = width * images.shape[1] >= 16
    last = torch.empty(chunk, *images.shape[2:], images.shape[1])
    windows = _windows(images[:chunk], module)
    order = (0, 2, 3, 4, 5, 1) if channels_last else (0, 1, 4, 5, 2, 3)
    patches = torch.empty([windows.shape[axis] for axis in order])
    positions, patch = outputs.shape[2:].numel(), images.shape[1] * height * width
    written = torch.empty(len(images), *((kernels, patch) if channels_last else (patch, kernels)))

    def step() -> Tensor:
        for some, gradients, out in zip(images.split(chunk), outputs.split(chunk), written.split(chunk), strict=True):
            if channels_last:
                some = last.copy_(some.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
            patches.copy_(_windows(some, module).permute(order))
            left = gradients.flatten(2)
            if channels_last:
                torch.bmm(left, patches.view(chunk, positions, patch), out=out)
            else:
                torch.bmm(patches.view(chunk, patch, positions), left.mT, out=out)
        return written

    return step


def _windows(images: Tensor, module: nn.Conv2d) -> Tensor:
    """View [N, C, oh, ow, kh, kw]."""
    (height, width), (down, right) = module.kernel_size, module.stride
    return images.unfold(2, height, down).unfold(3, width, right)


PARTS: dict[str, Callable[[Task], Step]] = {"products": products, "kernel_gradients": kernel_gradients}
