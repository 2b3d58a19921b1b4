"""One layer a file, entered in the table by decorator when this package is imported."""

from assay.gradients.layers import (
    conv1d_of_transformers,
    convolution,
    embedding,
    group_norm,
    layer_norm,
    linear,
    rms_norm,
)
from assay.gradients.layers.registry import Call, Rule, covered_layers, layer, rule_for

__all__ = [
    "Call",
    "Rule",
    "conv1d_of_transformers",
    "convolution",
    "covered_layers",
    "embedding",
    "group_norm",
    "layer",
    "layer_norm",
    "linear",
    "rms_norm",
    "rule_for",
]
