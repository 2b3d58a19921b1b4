"""Records one call of a module whose forward is rewritten."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from assay.gradients.factors import Dense, Factor, PassTensor, outer_products
from assay.gradients.refusals import LayerError
from assay.gradients.rewrites.unit import Unit

EVERY = slice(None)
Forward = Callable[..., object]


@dataclass(frozen=True, eq=False)
class _Piece:
    """One use of a weight: gradient [N, ..., d] of its output, input [N, ..., p], and the rows of the weight that it used."""

    gradient: PassTensor
    input: PassTensor
    rows: slice


class Linear(Protocol):
    """The part of a recorder by which a rewritten forward makes its products."""

    module: nn.Module

    def linear(
        self, x: Tensor, weight: str, bias: str | None = None, *, rows: slice = EVERY, bias_rows: slice = EVERY
    ) -> Tensor:
        """x W^T + b by named parameters, or some rows of them."""
        ...

    def refuse(self, limit: str, remedy: str) -> LayerError:
        """The error of the module."""
        ...


@dataclass(frozen=True, eq=False)
class Unrecorded:
    """Products by the parameters that the module has at the time, for a forward inside a vectorised module."""

    name: str
    module: nn.Module

    def linear(
        self, x: Tensor, weight: str, bias: str | None = None, *, rows: slice = EVERY, bias_rows: slice = EVERY
    ) -> Tensor:
        """x W^T + b by named parameters, or some rows of them."""
        shift = None if bias is None else getattr(self.module, bias)[bias_rows]
        return functional.linear(x, getattr(self.module, weight)[rows], shift)

    def refuse(self, limit: str, remedy: str) -> LayerError:
        """The error of the module."""
        return LayerError(self.name, f"{type(self.module).__name__}: {limit}", remedy)


class Recorder:
    """Linear maps and written-out gradients of one call; `factors` makes the answers once the backward pass is over.

    `parameters` are those of the module by their local names, `wanted` the local names to answer for, `shared` the places of
    arguments that were seen to be no sample's. What arrives while nobody is `listening` is left alone.
    """

    def __init__(self, unit: Unit, samples: int, anchor: Tensor, listening: Callable[[], bool]) -> None:
        self.name, self.module, self.samples = unit.name, unit.module, samples
        self.parameters = dict(unit.module.named_parameters(remove_duplicate=False))
        self.wanted, self.shared, self._anchor, self._listening = unit.wanted, unit.shared, anchor, listening
        self._pieces: defaultdict[str, list[_Piece]] = defaultdict(list)
        self._sums: dict[str, Tensor] = {}
        self._written: dict[str, Tensor] = {}

    def refuse(self, limit: str, remedy: str) -> LayerError:
        """The error of this module."""
        return LayerError(self.name, f"{type(self.module).__name__}: {limit}", remedy)

    def linear(
        self,
        x: Tensor,
        weight: str,
        bias: str | None = None,
        *,
        rows: slice = EVERY,
        bias_rows: slice = EVERY,
    ) -> Tensor:
        """x W^T + b of samples x [N, ..., p] by named parameters, or some rows of them; its use is recorded."""
        if x.shape[0] != self.samples:
            limit = f"a tensor of shape {tuple(x.shape)} for {self.samples} samples"
            raise self.refuse(limit, "the first axis must be the sample's, the second with batch_first=False")
        matrix = self.parameters[weight].detach()[rows]
        shift = None if bias is None else self.parameters[bias].detach()[bias_rows]
        output = functional.linear(x, matrix, shift)
        if not output.requires_grad:
            output = output + self._anchor.to(output)
        arrived = partial(self._arrived, weight, PassTensor(x, self.name), rows)
        output.register_hook(arrived)  # type: ignore[no-untyped-call]
        if bias in self.wanted and bias is not None:
            output.register_hook(partial(self._shifted, bias, bias_rows))  # type: ignore[no-untyped-call]
        return output

    def leaves(self) -> dict[str, Tensor]:
        """Each wanted parameter, once for every sample [N, *shape]: gradients that arrive there are the samples' own."""
        leaves = {}
        for name in self.wanted:
            parameter = self.parameters[name].detach()
            leaf = parameter.expand(self.samples, *parameter.shape).requires_grad_()
            leaf.register_hook(partial(self._written_out, name))  # type: ignore[no-untyped-call]
            leaves[name] = leaf
        return leaves

    def factors(self) -> dict[str, Factor]:
        """A factor for each wanted parameter that a gradient has reached, by its local name."""
        factors: dict[str, Factor] = {name: Dense(value, self.name) for name, value in self._written.items()}
        for name, pieces in self._pieces.items():
            factors[name] = self._of_pieces(pieces, len(self.parameters[name]))
        for name, value in self._sums.items():
            factors[name] = Dense(value, self.name)
        return {name: factor for name, factor in factors.items() if name in self.wanted}

    def _arrived(self, weight: str, x: PassTensor, rows: slice, gradient: Tensor) -> None:
        if weight in self.wanted and self._listening():
            dtype = self.parameters[weight].dtype
            self._pieces[weight].append(_Piece(PassTensor(gradient.to(dtype), self.name), x.to(dtype), rows))

    def _shifted(self, bias: str, rows: slice, gradient: Tensor) -> None:
        if not self._listening():
            return
        sums = self._sums.get(bias)
        if sums is None:
            sums = self._sums[bias] = self.parameters[bias].new_zeros(self.samples, len(self.parameters[bias]))
        with torch.no_grad():
            sums[:, rows] += _positions(gradient).to(sums).sum(1)

    def _written_out(self, name: str, gradient: Tensor) -> None:
        if self._listening():
            self._written[name] = gradient.detach()

    def _of_pieces(self, pieces: list[_Piece], size: int) -> Factor:
        """One sum of outer products over the positions of all uses."""
        if len(pieces) == 1 and pieces[0].rows == EVERY:
            return outer_products(pieces[0].gradient, pieces[0].input)
        with torch.no_grad():
            gradients = torch.cat([_widened(piece, size) for piece in pieces], 1)
            inputs = torch.cat([_positions(piece.input.value) for piece in pieces], 1)
        return outer_products(PassTensor(gradients, self.name), PassTensor(inputs, self.name))


def _positions(value: Tensor) -> Tensor:
    """[N, T, features]."""
    return value.reshape(value.shape[0], -1, value.shape[-1])


def _widened(piece: _Piece, size: int) -> Tensor:
    """Gradients [N, T, size], zero outside the rows of the weight that were used."""
    gradient = _positions(piece.gradient.value)
    if piece.rows == EVERY:
        return gradient
    wide = gradient.new_zeros(*gradient.shape[:2], size)
    wide[:, :, piece.rows] = gradient
    return wide
