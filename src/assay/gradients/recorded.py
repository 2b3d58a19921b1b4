"""The answers of a batch that has passed forward and backward."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property

import torch
from torch import Tensor

from assay.errors import AssayError, InputError
from assay.gradients.alignment import Alignment
from assay.gradients.clipping import ClippedSum, Clipping, Flat
from assay.gradients.factors import Factor


class Recorded:
    """Per-sample gradients of one batch, as factors; none of its answers but `materialised` writes out N x P numbers.

    Names of parameters are those of `model.named_parameters()`; a layer is named by its module and has that module's
    parameters; tied weights count where they are named first. Parameters that the losses do not reach have gradient zero.
    """

    def __init__(
        self,
        parameters: Mapping[str, Tensor],
        factors: Mapping[str, Factor],
        samples: int,
        losses: Tensor | None,
        scale: float = 1.0,
    ) -> None:
        self._parameters, self._factors, self._scale = parameters, factors, scale
        self.samples, self.losses = samples, losses

    @cached_property
    def layers(self) -> list[str]:
        """Names of the layers, in the order of the model's parameters."""
        return list(dict.fromkeys(layer_of(name) for name in self._parameters))

    @cached_property
    def _layer_norms(self) -> Tensor:
        """L2 norms [layers, N]."""
        return self._by_layer(lambda name, factor: factor.squared_norms()).sqrt() * abs(self._scale)

    def layer_norms(self) -> dict[str, Tensor]:
        """L2 norms [N] of each sample's gradient, layer by layer."""
        return dict(zip(self.layers, self._layer_norms, strict=True))

    def norms(self) -> Tensor:
        """L2 norms [N] of each sample's gradient over all layers."""
        norms: Tensor = torch.linalg.vector_norm(self._layer_norms, dim=0)
        return norms

    def dots(self, direction: Mapping[str, Tensor]) -> Tensor:
        """Inner products [N] with a direction given as one tensor for each parameter; absent ones count as zero."""
        return self._layer_dots(direction).sum(0)

    def alignment(self, direction: Mapping[str, Tensor]) -> Alignment:
        """Inner products, norms and cosines with a direction over all layers."""
        size = torch.stack([value.square().sum() for value in direction.values()]).sum().sqrt()
        return Alignment(self.dots(direction), self.norms(), size)

    def layer_alignments(self, direction: Mapping[str, Tensor]) -> dict[str, Alignment]:
        """The same, layer by layer."""
        dots, alignments = self._layer_dots(direction), {}
        for number, layer in enumerate(self.layers):
            parts = [value.square().sum() for name, value in direction.items() if layer_of(name) == layer]
            size = torch.stack(parts).sum().sqrt() if parts else dots.new_zeros(())
            alignments[layer] = Alignment(dots[number], self._layer_norms[number], size)
        return alignments

    def cosines(self, direction: Mapping[str, Tensor]) -> Tensor:
        """Cosines [N] of each sample's gradient with a direction."""
        return self.alignment(direction).cosines

    def leave_one_out(self) -> Alignment:
        """Of each sample with the mean gradient of all others in this batch; needs at least two samples."""
        return self.alignment(self.mean()).without_self(self.samples)

    def weighted_sum(self, weights: Tensor, out: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
        """Sum of the gradients, each sample's times its weight [N], or its weights by layer [layers, N].

        `out` is a sum that is no longer needed, such as that of the batch before: its memory may be used again.
        """
        scaled = weights if self._scale == 1 else weights * self._scale
        rows = dict(zip(self.layers, scaled.unbind(), strict=True)) if scaled.dim() == 2 else None
        gradients = {}
        for name, parameter in self._parameters.items():
            factor, row = self._factors.get(name), scaled if rows is None else rows[layer_of(name)]
            if factor is None:
                gradients[name] = torch.zeros_like(parameter.detach())
            else:
                gradients[name] = factor.weighted_sum(row, None if out is None else out.get(name))
        return gradients

    def mean(self) -> dict[str, Tensor]:
        """Mean gradient, a tensor a parameter; zero for an empty batch."""
        return self.weighted_sum(self._vector(1.0 / max(1, self.samples)))

    def clipped_sum(self, clipping: Clipping | float, out: Mapping[str, Tensor] | None = None) -> ClippedSum:
        """Sum of clipped gradients; a number stands for `Flat(number)`; `out` as in `weighted_sum`.

        Guarantee: adding or removing one sample changes the sum by at most `max_grad_norm` of the result in L2 norm. A
        sample whose gradient is not finite contributes zero, so that it cannot pass unclipped.
        """
        rule = Flat(clipping) if isinstance(clipping, int | float) else clipping
        limit, norms = rule.bound(self.layers), self._layer_norms
        if not math.isfinite(float(norms.sum())):
            finite = torch.isfinite(norms).all(0)
            if not bool(finite.all()):
                return replace(self.take(finite.nonzero()[:, 0]).clipped_sum(rule, out), samples=self.samples)
        return ClippedSum(self.weighted_sum(rule.weights(norms, self.layers), out), limit, self.samples)

    def gram(self, other: Recorded) -> Tensor:
        """Inner products [N, M] of all gradients with all those of another batch of the same model (or of itself)."""
        if list(self._parameters) != list(other._parameters):
            raise AssayError("gram: the two batches must be of the same parameters (record both with one engine)")
        products = self._vector(0.0)[:, None].expand(-1, other.samples).clone()
        for name, factor in self._factors.items():
            if name in other._factors:
                products += factor.gram(other._factors[name])
        return products * (self._scale * other._scale)

    def materialised(self) -> dict[str, Tensor]:
        """The gradients themselves, a tensor [N, *shape] a parameter: N x P numbers."""
        gradients = {}
        for name, parameter in self._parameters.items():
            factor = self._factors.get(name)
            empty = parameter.new_zeros(self.samples, *parameter.shape)
            gradients[name] = empty if factor is None else factor.materialised() * self._scale
        return gradients

    def take(self, index: Tensor) -> Recorded:
        """The same for the samples at `index` [K]."""
        factors = {name: factor.take(index) for name, factor in self._factors.items()} if len(index) else {}
        losses = None if self.losses is None else self.losses[index]
        return Recorded(self._parameters, factors, len(index), losses, self._scale)

    def _layer_dots(self, direction: Mapping[str, Tensor]) -> Tensor:
        for name, value in direction.items():
            if name not in self._parameters or value.shape != self._parameters[name].shape:
                limit = "must name a recorded parameter and have its shape"
                raise InputError(f"direction[{name!r}].shape", tuple(value.shape), limit, "take names from mean()")
        used = {name: factor for name, factor in self._factors.items() if name in direction}
        return self._by_layer(lambda name, factor: factor.dots(direction[name]), used) * self._scale

    def _by_layer(self, ask: Callable[[str, Factor], Tensor], factors: Mapping[str, Factor] | None = None) -> Tensor:
        """Sums [layers, N] of `ask` over the parameters of each layer."""
        factors = self._factors if factors is None else factors
        sums = self._vector(0.0).expand(len(self.layers), -1).clone()
        if not factors:
            return sums
        numbers = {layer: number for number, layer in enumerate(self.layers)}
        rows = torch.tensor([numbers[layer_of(name)] for name in factors], device=sums.device)
        return sums.index_add_(0, rows, torch.stack([ask(name, factor) for name, factor in factors.items()]))

    def _vector(self, value: float) -> Tensor:
        return next(iter(self._parameters.values())).new_full((self.samples,), value)


def layer_of(parameter: str) -> str:
    """Name of the module that owns a parameter."""
    return parameter.rpartition(".")[0]
