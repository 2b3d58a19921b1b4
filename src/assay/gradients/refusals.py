"""Refusals of the engine, by name and with the remedy."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.instancenorm import _InstanceNorm

from assay.errors import AssayError


class LayerError(AssayError):
    """A layer whose per-sample gradients do not exist or cannot be computed."""

    def __init__(self, name: str, limit: str, remedy: str) -> None:
        super().__init__(f"layer={name or '(the model itself)'}: {limit} ({remedy})")


class UsedOutsideError(LayerError):
    """A parameter that is used outside the forward of the layer whose rule covers it."""

    def __init__(self, parameter: str) -> None:
        limit = "this parameter is also used outside its layer's forward"
        super().__init__(parameter, limit, "call the layer itself, or use PerSampleGradients(..., fallback=True)")
        self.parameter = parameter


Named = Sequence[tuple[str, nn.Module]]


def may_mix(model: nn.Module) -> Named:
    """The modules, by name, of kinds of which `refuse_mixing` refuses some."""
    kinds = (_NormBase, nn.Embedding, nn.EmbeddingBag)
    return [(name, module) for name, module in model.named_modules() if isinstance(module, kinds)]


def refuse_mixing(modules: Named) -> None:
    """Raises LayerError for the first module of which one sample's output depends on the other samples.

    BatchNorm in training (or without running statistics, or with trainable parameters), InstanceNorm that tracks
    statistics, and embeddings that rescale by how often ids occur (scale_grad_by_freq, max_norm).
    """
    for name, module in modules:
        kind = type(module).__name__
        if isinstance(module, _InstanceNorm):
            if module.track_running_stats:
                raise LayerError(name, f"{kind} keeps statistics of all samples", "set track_running_stats=False")
        elif isinstance(module, _NormBase):
            trained = any(parameter.requires_grad for parameter in module.parameters())
            if trained or module.training or module.running_mean is None:
                remedy = "replace it by GroupNorm, or freeze it and call eval() on it"
                raise LayerError(name, f"{kind} mixes the samples of a batch", remedy)
        elif isinstance(module, nn.Embedding | nn.EmbeddingBag) and (
            module.scale_grad_by_freq or module.max_norm is not None
        ):
            trained = module.weight.requires_grad or module.max_norm is not None
            if trained:
                limit = "rescales rows by what the batch contains"
                raise LayerError(name, f"{kind} {limit}", "set scale_grad_by_freq=False and max_norm=None")
