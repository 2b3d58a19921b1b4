"""Kinds of modules with a rewritten forward, and their rewritings; all others are vectorised whole."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn

from assay.gradients.rewrites.attention import attention
from assay.gradients.rewrites.recorder import Forward
from assay.gradients.rewrites.recurrent import UNROLLED
from assay.gradients.rewrites.unit import Unit
from assay.gradients.rewrites.whole import is_sequence_first, step, whole

Rewrite = Callable[..., Any]
"""From a recorder and the arguments of a call to what the module's forward returns."""

_KINDS: dict[type[nn.Module], Rewrite] = {nn.MultiheadAttention: attention, **UNROLLED}


def rewrite_for(unit: Unit, forward: Forward) -> Rewrite:
    """The rewriting of a unit, whose own forward is `forward`: it is called with a `Recorder` and the arguments."""
    if unit.entry != "forward":
        return partial(step, forward)
    if writes_out(unit):
        return partial(whole, forward)
    return _KINDS[type(unit.module)]


def writes_out(unit: Unit) -> bool:
    """True where the gradients of a unit are written out, N x P numbers."""
    module = unit.module
    own = _KINDS.get(type(module))
    extra = isinstance(module, nn.MultiheadAttention) and module.bias_k is not None
    return unit.vectorised or own is None or extra or "forward" in vars(module) or _parametrised(module)


def unit_of(name: str, modules: dict[str, nn.Module]) -> str:
    """Name of the module that is rewritten for the sake of the parameters that module `name` owns.

    It is the outermost of those around it that use the parameters of modules inside them by their own ways: attention,
    recurrent layers, torch's transformers with the sequence first, parametrised modules, adapters with a magnitude.
    """
    name = f".{name}".partition(".parametrizations.")[0].removeprefix(".")
    while isinstance(modules[name], nn.ParameterList | nn.ParameterDict):
        name = name.rpartition(".")[0]
    parts = name.split(".") if name else []
    for length in range(len(parts) + 1):
        outer = ".".join(parts[:length])
        if outer in modules and _uses_inner(modules[outer]):
            return outer
    return name


def _uses_inner(module: nn.Module) -> bool:
    adapters = type(module).__module__.startswith("peft.tuners.lora") and bool(
        getattr(module, "lora_magnitude_vector", None)
    )
    return type(module) in _KINDS or is_sequence_first(module) or _parametrised(module) or adapters


def _parametrised(module: nn.Module) -> bool:
    return isinstance(getattr(module, "parametrizations", None), nn.ModuleDict)
