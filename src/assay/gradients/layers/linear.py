"""y = x W^T + b."""

from __future__ import annotations

from torch import nn

from assay.gradients.factors import Dense, Factor, PassTensor, outer_products
from assay.gradients.layers.registry import Call, layer


@layer(nn.Linear)
def linear(call: Call) -> dict[str, Factor]:
    """Weight: outer products of output gradients and inputs. Bias: sums of output gradients over positions."""
    factors: dict[str, Factor] = {}
    if "weight" in call.wanted:
        factors["weight"] = outer_products(call.gradient, call.input)
    if "bias" in call.wanted:
        factors["bias"] = Dense(summed_positions(call))
    return factors


def summed_positions(call: Call) -> PassTensor:
    """Output gradients [N, d] summed over everything between the first and the last axis."""
    gradient = call.gradient.value
    return call.gradient if gradient.dim() == 2 else call.keep(call.gradient.flat().sum(1))
