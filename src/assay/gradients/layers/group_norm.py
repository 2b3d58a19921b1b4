"""y = (x - mean) / std * w + b within groups of channels."""

from __future__ import annotations

import torch.nn.functional as functional
from torch import nn

from assay.gradients.factors import Dense, Factor
from assay.gradients.layers.registry import Call, layer


@layer(nn.GroupNorm)
def group_norm(call: Call) -> dict[str, Factor]:
    """Weight: output gradients times normalised inputs. Bias: output gradients. Both summed over everything but channels."""
    assert isinstance(call.module, nn.GroupNorm)
    gradient, factors = call.gradient.value, dict[str, Factor]()
    if "weight" in call.wanted:
        normalised = functional.group_norm(call.input.value, call.module.num_groups, eps=call.module.eps)
        factors["weight"] = Dense(call.keep(normalised.mul_(gradient).reshape(*gradient.shape[:2], -1).sum(2)))
    if "bias" in call.wanted:
        factors["bias"] = Dense(call.keep(gradient.reshape(*gradient.shape[:2], -1).sum(2)))
    return factors
