"""y = x W + b, as GPT-2 of Hugging Face writes it."""

from __future__ import annotations

from assay.gradients.factors import Dense, Factor, outer_products
from assay.gradients.layers.linear import summed_positions
from assay.gradients.layers.registry import Call, layer


@layer("transformers.pytorch_utils.Conv1D")
def conv1d_of_transformers(call: Call) -> dict[str, Factor]:
    """A linear layer whose weight [in, out] is stored the other way round."""
    factors: dict[str, Factor] = {}
    if "weight" in call.wanted:
        factors["weight"] = outer_products(call.input, call.gradient)
    if "bias" in call.wanted:
        factors["bias"] = Dense(summed_positions(call))
    return factors
