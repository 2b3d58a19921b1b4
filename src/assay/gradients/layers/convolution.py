"""Convolutions over one and two axes."""

from __future__ import annotations

import torch.nn.functional as functional
from torch import nn

from assay.gradients.factors import Convolved, Dense, Factor, PassTensor
from assay.gradients.factors.convolved import Geometry
from assay.gradients.layers.registry import Call, layer


@layer(nn.Conv1d)
@layer(nn.Conv2d)
def convolution(call: Call) -> dict[str, Factor]:
    """Weight: output gradients times input patches. Bias: output gradients. Both summed over positions."""
    module, factors = call.module, dict[str, Factor]()
    assert isinstance(module, nn.Conv1d | nn.Conv2d)
    if "weight" in call.wanted:
        images, outputs = _padded(call, module), call.gradient
        if isinstance(module, nn.Conv1d):  # an image of height one
            images, outputs = (tensor.of(lambda value: value.unsqueeze(2)) for tensor in (images, outputs))
        kernel, stride, dilation = (_pair(size) for size in (module.kernel_size, module.stride, module.dilation))
        geometry = Geometry(kernel, stride, dilation, module.groups)
        factors["weight"] = Convolved(images, outputs, geometry, module.weight.shape, call.workspace)
    if "bias" in call.wanted:
        factors["bias"] = Dense(call.keep(call.gradient.value.flatten(2).sum(2)))
    return factors


def _pair(sizes: tuple[int, ...]) -> tuple[int, int]:
    return (1, *sizes)[-2:]  # type: ignore[return-value]


def _padded(call: Call, module: nn.Conv1d | nn.Conv2d) -> PassTensor:
    """The layer's input as the convolution without padding sees it."""
    amounts = module._reversed_padding_repeated_twice
    if not any(amounts):
        return call.input
    mode = "constant" if module.padding_mode == "zeros" else module.padding_mode
    return call.keep(functional.pad(call.input.value, amounts, mode=mode))
