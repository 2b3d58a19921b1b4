"""y = x / rms(x) * w over the last axes."""

from __future__ import annotations

import torch.nn.functional as functional
from torch import nn

from assay.gradients.factors import Factor
from assay.gradients.layers.layer_norm import scale_and_shift
from assay.gradients.layers.registry import Call, layer


@layer(nn.RMSNorm)
def rms_norm(call: Call) -> dict[str, Factor]:
    """Output gradients times normalised inputs, summed over positions."""
    assert isinstance(call.module, nn.RMSNorm)
    shape = list(call.module.normalized_shape)
    return scale_and_shift(call, functional.rms_norm(call.input.value, shape, eps=call.module.eps), len(shape))
