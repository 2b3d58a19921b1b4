"""One forward and one backward pass, whose hooks record the parts of per-sample gradients."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from assay.errors import AssayError, InputError
from assay.gradients.factors import Factor, PassTensor, Workspace, total
from assay.gradients.layers import Call
from assay.gradients.plan import Layer, Plan
from assay.gradients.recorded import Recorded
from assay.gradients.refusals import LayerError, UsedOutsideError
from assay.gradients.rewrites import Rewrite, Unit, rewrite_for
from assay.gradients.rewrites.recorder import Forward, Recorder


class Tape:
    """Records the layers of a plan while it is entered; leaves the model as it was when left.

    Parameters that a rule covers take no part in the backward pass, so it computes activation gradients alone; a covered
    parameter that is used outside its layer's own `forward` is refused by name when the tape is left. Backward passes are
    recorded while it is `listening`.
    """

    listening: bool = True

    def __init__(self, plan: Plan, samples: int, workspace: Workspace | None = None) -> None:
        self._plan, self._samples, self._workspace = plan, samples, workspace or Workspace()
        self._parts: defaultdict[str, list[Factor]] = defaultdict(list)
        self._inputs: WeakValueDictionary[Any, PassTensor] = WeakValueDictionary()
        self._losses: Tensor | None = None
        self._anchor = torch.zeros((), requires_grad=True)
        self._handles: list[RemovableHandle] = []
        self._calls: list[tuple[Unit, Recorder]] = []
        self._replaced: list[tuple[Unit, Any]] = []

    def __enter__(self) -> Tape:
        _require(self._plan.left_out, False)
        self._before = [(parameter.grad, _version(parameter.grad)) for parameter in self._plan.parameters.values()]
        for layer in self._plan.layers:
            before, after = partial(_require, layer.parameters, False), partial(self._called, layer)
            self._handles.append(layer.module.register_forward_pre_hook(before))
            options = {"prepend": True, "with_kwargs": True, "always_call": True}
            self._handles.append(layer.module.register_forward_hook(after, **options))
        for unit in self._plan.units:
            own = vars(unit.module).get(unit.entry)
            forward = getattr(unit.module, unit.entry)
            rewrite = rewrite_for(unit, forward)
            vars(unit.module)[unit.entry] = partial(self._rewritten, unit, forward, rewrite)
            self._replaced.append((unit, own))
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for handle in self._handles:
            handle.remove()
        for unit, own in self._replaced:
            del vars(unit.module)[unit.entry]
            if own is not None:
                vars(unit.module)[unit.entry] = own
        self._replaced.clear()
        _require(self._plan.left_out, True)
        self._inputs.clear()
        if kind is not None:
            _require(self._plan.parameters.values(), True)
            self._forget()
            return
        for (name, parameter), before in zip(self._plan.parameters.items(), self._before, strict=True):
            if parameter.grad is not before[0] or _version(parameter.grad) != before[1]:
                parameter.grad = None
                self._forget()
                raise UsedOutsideError(name)

    def backward(self, losses: Tensor) -> None:
        """Runs the backward pass of per-sample losses [N]; a loss that has been reduced is refused by its shape."""
        check_losses(losses, self._samples)
        self._losses = losses.detach()
        if self._samples:
            if not losses.requires_grad:
                raise AssayError(
                    "losses: do not depend on a trainable parameter (compute them from the model's output)"
                )
            losses.backward(torch.ones_like(losses))  # type: ignore[no-untyped-call]

    def recorded(self, scale: float = 1.0) -> Recorded:
        """The recorded gradients; `scale` is N where somebody else ran backward on the mean of the N losses.

        Raises AssayError if no layer was reached by a backward pass.
        """
        for unit, call in self._calls:
            for name, factor in call.factors().items():
                self._parts[unit.wanted[name]].append(factor)
        self._calls.clear()
        if self._samples and not self._parts:
            raise AssayError(
                "recording: no backward pass reached a layer (call tape.backward(losses) before leaving it)"
            )
        factors = {name: total(parts) for name, parts in self._parts.items()}
        return Recorded(self._plan.parameters, factors, self._samples, self._losses, scale)

    def _rewritten(self, unit: Unit, forward: Forward, rewrite: Rewrite, *args: Any, **kwargs: Any) -> Any:
        """In place of the forward of a module without a rule."""
        if not torch.is_grad_enabled() or not self._samples:
            return forward(*args, **kwargs)
        call = Recorder(unit, self._samples, self._anchor, lambda: self.listening)
        self._calls.append((unit, call))
        return rewrite(call, *args, **kwargs)

    def _forget(self) -> None:
        self._parts.clear()
        self._calls.clear()

    def _called(
        self, layer: Layer, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any
    ) -> Tensor | None:
        """After a layer's forward: keeps its input and sees to it that the gradient of its output arrives."""
        _require(layer.parameters, True)
        if output is None or not torch.is_grad_enabled() or not self._samples:
            return None  # it raised, or trains nothing
        given = args[0] if args else next(iter(kwargs.values()))
        given, output = self._with_samples(layer, given), self._with_samples(layer, output)
        if output._is_view():  # one that is written on later leaves the graph, and its hook is never called
            output = torch.ops.aten._unsafe_view(output, output.shape)
        if not output.requires_grad:
            output = _Start.apply(output, self._anchor)  # type: ignore[no-untyped-call]
        output.register_hook(partial(self._arrived, layer, [self._keep(given, layer.name)]))
        return output  # type: ignore[no-any-return]

    def _with_samples(self, layer: Layer, tensor: Tensor) -> Tensor:
        """The tensor, with one row for each sample where one was broadcast to all (position ids [1, T])."""
        if tensor.dim() and tensor.shape[0] == self._samples:
            return tensor
        if tensor.dim() and tensor.shape[0] == 1:
            return tensor.expand(self._samples, *tensor.shape[1:])
        limit = f"a tensor of shape {tuple(tensor.shape)} for {self._samples} samples"
        raise LayerError(layer.name, limit, "the first axis must be the sample's, or of length one")

    def _keep(self, tensor: Tensor, name: str) -> PassTensor:
        """Keeps a tensor, once for all layers that read it."""
        version = None if tensor.is_inference() else tensor._version
        key = (tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype, tensor.device, version)
        shared = self._inputs.get(key)
        if shared is None:
            shared = self._inputs[key] = PassTensor(tensor, name)
        return shared

    def _arrived(self, layer: Layer, given: list[PassTensor], gradient: Tensor) -> None:
        """When the gradient of a layer's output arrives: makes the factors of its parameters."""
        if not self.listening:
            return
        if not given:
            raise LayerError(
                layer.name, "a second backward pass through one recording", "record once for each backward"
            )
        dtype = layer.parameters[0].dtype  # under autocast the pass is in another
        arrived = PassTensor(gradient.to(dtype), layer.name)
        call = Call(layer.name, layer.module, given.pop().to(dtype), arrived, layer.own, self._workspace)
        with torch.no_grad():
            for name, factor in layer.rule(call).items():
                self._parts[layer.wanted[name]].append(factor)


def check_losses(losses: Tensor, samples: int) -> None:
    """Raises InputError unless there is one loss for each of the samples."""
    if losses.shape != (samples,):
        remedy = "use reduction='none' and average over a sample's own tokens only"
        raise InputError("losses.shape", tuple(losses.shape), f"must be ({samples},), one loss a sample", remedy)


class _Start(torch.autograd.Function):
    """Makes a tensor require gradients without making it a leaf, so that in-place operations may follow."""

    @staticmethod
    def forward(ctx: Any, output: Tensor, anchor: Tensor) -> Tensor:
        ctx.mark_dirty(output)
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, None]:
        return None, None


def _require(parameters: Iterable[nn.Parameter], flag: bool, *_: object) -> None:
    for parameter in parameters:
        parameter.requires_grad = flag


def _version(gradient: Tensor | None) -> int:
    return -1 if gradient is None else gradient._version
