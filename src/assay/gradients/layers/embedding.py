"""y = W[ids]."""

from __future__ import annotations

from torch import nn

from assay.gradients.factors import Factor, Scattered
from assay.gradients.layers.registry import Call, layer
from assay.gradients.refusals import LayerError


@layer(nn.Embedding)
def embedding(call: Call) -> dict[str, Factor]:
    """Rows of output gradients at the ids; the padding row gets none."""
    module, gradient = call.module, call.gradient
    assert isinstance(module, nn.Embedding)
    ids = call.input.value
    if ids.dim() == 1 and len(ids) > 1 and bool((ids.diff() == 1).all()):
        raise LayerError(
            call.name,
            "ids 0, 1, 2, ... of one axis look like positions, not samples",
            "give the ids a batch axis: ids[None]",
        )
    if module.padding_idx is not None:
        padding = ids == module.padding_idx
        gradient = call.keep(gradient.value.masked_fill(padding[..., None], 0.0))
    return {"weight": Scattered(call.input, gradient, module.num_embeddings)}
