"""y = (x - mean) / std * w + b over the last axes."""

from __future__ import annotations

import torch.nn.functional as functional
from torch import Tensor, nn

from assay.gradients.factors import Dense, Factor
from assay.gradients.layers.registry import Call, layer


@layer(nn.LayerNorm)
def layer_norm(call: Call) -> dict[str, Factor]:
    """Weight: output gradients times normalised inputs. Bias: output gradients. Both summed over positions."""
    assert isinstance(call.module, nn.LayerNorm)
    shape = call.module.normalized_shape
    normalised = (
        functional.layer_norm(call.input.value, shape, eps=call.module.eps) if "weight" in call.wanted else None
    )
    return scale_and_shift(call, normalised, len(shape))


def scale_and_shift(call: Call, normalised: Tensor | None, axes: int) -> dict[str, Factor]:
    """Factors of y = normalised * weight + bias, where weight and bias have the last `axes` axes of y.

    `normalised` is used up: fresh memory for its product with the gradient would cost more than the product.
    """
    gradient = call.gradient.value
    middle = tuple(range(1, gradient.dim() - axes))
    factors: dict[str, Factor] = {}
    for name, value in (("weight", None if normalised is None else normalised.mul_(gradient)), ("bias", gradient)):
        if name in call.wanted and value is not None:
            factors[name] = Dense(call.keep(value.sum(middle) if middle else value))
    return factors
