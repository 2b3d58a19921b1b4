"""Any module: each sample runs with parameters of its own, vectorised; N x P numbers are written out."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

from assay.errors import AssayError
from assay.gradients.rewrites.recorder import Forward, Recorder, Unrecorded
from assay.gradients.rewrites.recurrent import UNROLLED

LARGEST = 1 << 28
"""Numbers that the gradients of one module may be written out to: 1 GB in single precision."""

_TENSOR = object()  # stands for a tensor among the leaves of an output
SEQUENCE_FIRST = frozenset({"src", "tgt", "memory", "query", "key", "value"})
"""Arguments of torch's modules whose second axis may be the sample's."""

COMMON = frozenset({"src_mask", "tgt_mask", "memory_mask", "mask", "attn_mask"})
"""Arguments of torch's modules that all samples share, but for one of three axes."""


def step(forward: Forward, call: Recorder, *args: Any, **kwargs: Any) -> Any:
    """A training step whose loss is a mean over the batch: the mean of its losses of one sample each.

    What it logs is logged as a mean over the samples.
    """
    module = call.module
    log = getattr(module, "log", None)
    names: list[tuple[str, Any]] = []

    def logged(*given: Any, **options: Any) -> Any:
        values: list[Tensor] = []
        names.clear()

        def note(name: str, value: Any, *rest: Any, **further: Any) -> None:
            names.append((name, (rest, further)))
            values.append(torch.as_tensor(value, dtype=torch.get_default_dtype()).detach())

        def note_all(each: Mapping[str, Any], *rest: Any, **further: Any) -> None:
            for name, value in each.items():
                note(name, value, *rest, **further)

        with instead(module, log=note, log_dict=note_all):
            return forward(*given, **options), values

    output, values = whole(logged, call, *args, reduced=True, **kwargs)
    for (name, (rest, further)), value in zip(names, values, strict=True):
        if log is not None:
            log(name, value.mean(), *rest, **further)
    return tree_map(lambda leaf: leaf.mean(0) if isinstance(leaf, Tensor) else leaf, output)


@contextmanager
def instead(module: nn.Module, **methods: Any) -> Iterator[None]:
    """Other methods in place of a module's own."""
    own = vars(module)
    before = {name: own[name] for name in methods if name in own}
    own.update(methods)
    try:
        yield
    finally:
        for name in methods:
            del own[name]
        own.update(before)


def whole(forward: Forward, call: Recorder, *args: Any, reduced: bool = False, **kwargs: Any) -> Any:
    """The module's own forward under torch.func.vmap, one sample at a time as far as it can see.

    Random numbers (dropout) are drawn for each sample. Arguments whose first axis has a sample's length are the samples'.
    A `reduced` output has no axis of samples.
    """
    size = call.samples * sum(call.parameters[name].numel() for name in call.wanted)
    if size > LARGEST:
        limit = f"{size:.1g} numbers to write out for {call.samples} samples, above {LARGEST:.1g}"
        parts = 2 ** math.ceil(math.log2(1.25 * size / LARGEST))  # Poisson samples differ in size
        raise call.refuse(limit, f"cut the batch: private_loader(plan, tensors, parts={parts}), or task.parts={parts}")
    axis = 1 if is_sequence_first(call.module) else 0
    axes = _axes(call, forward, args, kwargs, axis)
    shape: list[Any] = []

    def alone(parameters: Mapping[str, Tensor], own: tuple[Any, Mapping[str, Any]]) -> list[Tensor]:
        given = tree_map(_unsqueezed, axes, own, is_leaf=_is_none)
        bound = _Bound(call.module, forward)
        output = torch.func.functional_call(bound, _named(parameters), given[0], given[1])
        leaves, spec = tree_flatten(output)
        tensors = [leaf for leaf in leaves if isinstance(leaf, Tensor)]
        shape[:] = [spec, [_TENSOR if isinstance(leaf, Tensor) else leaf for leaf in leaves]]
        if reduced:
            return tensors
        for leaf in tensors:
            if leaf.dim() <= axis or leaf.shape[axis] != 1:
                limit = f"an output of shape {tuple(leaf.shape)} for one sample"
                raise call.refuse(limit, "give its outputs the sample's axis first, or freeze the module")
        return [leaf.squeeze(axis) for leaf in tensors]

    inner = [(name, each) for name, each in call.module.named_modules() if each is not call.module]
    each = torch.func.vmap(alone, (0, axes), out_dims=0 if reduced else axis, randomness="different")
    try:
        with unrolled(inner):
            outputs = iter(each(call.leaves(), (args, kwargs)))
    except AssayError:
        raise
    except (RuntimeError, ValueError, NotImplementedError) as error:
        first = str(error).splitlines()[0]
        remedy = "take apart what it does into modules of torch.nn, or freeze it"
        raise call.refuse(f"torch.func.vmap cannot vectorise it ({first})", remedy) from error
    spec, others = shape
    return tree_unflatten([next(outputs) if each is _TENSOR else each for each in others], spec)


@contextmanager
def unrolled(modules: Iterable[tuple[str, nn.Module]]) -> Iterator[None]:
    """Recurrent modules written out step by step: torch's own cannot be vectorised."""
    with ExitStack() as stack:
        for name, module in modules:
            if type(module) in UNROLLED:
                stack.enter_context(instead(module, forward=partial(UNROLLED[type(module)], Unrecorded(name, module))))
        yield


def is_sequence_first(module: nn.Module) -> bool:
    """True for torch's attention and transformers whose tensors are [T, N, E]."""
    if isinstance(module, nn.MultiheadAttention):
        return not module.batch_first
    kinds = (nn.Transformer, nn.TransformerEncoder, nn.TransformerDecoder)
    layers = (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)
    if not isinstance(module, (*kinds, *layers)):
        return False
    return any(isinstance(each, nn.MultiheadAttention) and not each.batch_first for each in module.modules())


class _Bound(nn.Module):
    """The forward as a module, so that parameters can be passed to it."""

    def __init__(self, module: nn.Module, forward: Forward) -> None:
        super().__init__()
        self.module, self._forward = module, forward

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Result of the module's own forward.

        Tensors that hooks of torch.nn.utils.weight_norm compute before it are computed from the passed parameters.
        """
        hooks: list[Any] = list(self.module._forward_pre_hooks.values())
        computed = [hook for hook in hooks if type(hook).__name__ == "WeightNorm"]
        before = {hook.name: getattr(self.module, hook.name) for hook in computed}
        try:
            for hook in computed:
                setattr(self.module, hook.name, hook.compute_weight(self.module))
            return self._forward(*args, **kwargs)
        finally:
            for name, value in before.items():
                setattr(self.module, name, value)


def _named(parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"module.{name}": value for name, value in parameters.items()}


def _axes(call: Recorder, forward: Forward, args: Any, kwargs: Any, axis: int) -> Any:
    """The arguments with the sample's axis in place of each tensor that has one, and None elsewhere."""
    if not type(call.module).__module__.startswith("torch.nn"):
        leaves, spec = tree_flatten((args, dict(kwargs)))
        return tree_unflatten([_axis_of(call, place, leaf) for place, leaf in enumerate(leaves)], spec)
    bound = inspect.signature(forward).bind(*args, **kwargs).arguments
    names = list(bound)

    def of(name: str, value: Any) -> Any:
        if not isinstance(value, Tensor) or value.dim() == 0:
            return None
        if name in SEQUENCE_FIRST:
            return axis
        shared = name in COMMON and value.dim() < 3
        return None if shared or value.shape[0] != call.samples else 0

    positional = tuple(of(name, value) for name, value in zip(names, args, strict=False))
    return positional, {name: of(name, value) for name, value in kwargs.items()}


def _axis_of(call: Recorder, place: int, leaf: Any) -> int | None:
    """0 for an argument of the samples; one that was seen with another length is shared by all."""
    if not isinstance(leaf, Tensor) or leaf.dim() == 0:
        return None
    if leaf.shape[0] != call.samples:
        call.shared.add(place)
    return None if place in call.shared else 0


def _unsqueezed(axis: int | None, leaf: Any) -> Any:
    return leaf if axis is None else leaf.unsqueeze(axis)


def _is_none(leaf: object) -> bool:
    return leaf is None
