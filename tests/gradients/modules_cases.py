"""Modules that have no rule of their own, each with its arguments and the axes of the samples, for rewritten forwards."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
from gradients_cases import draw, ids
from torch import Tensor, nn
from torch.nn.utils import parametrizations


@dataclass(frozen=True)
class Kind:
    """A module, its arguments for a number of samples, and the axis of the samples in arguments and first output."""

    build: Callable[[], nn.Module]
    inputs: Callable[[int], tuple[Tensor, ...]]
    axis: int = 0
    call: Callable[..., Tensor] = lambda module, *inputs: first(module(*inputs))


def first(output: object) -> Tensor:
    """The first tensor of an output."""
    while not isinstance(output, Tensor):
        output = output[0]  # type: ignore[index]
    return output


def sequence(*counts: int) -> Callable[[int], tuple[Tensor, ...]]:
    """[N, T, 6] for each T."""
    return lambda n: tuple(draw(n, count, 6, seed=3 + place) for place, count in enumerate(counts))


def sequence_first(*counts: int) -> Callable[[int], tuple[Tensor, ...]]:
    """[T, N, 6] for each T."""
    return lambda n: tuple(draw(count, n, 6, seed=3 + place) for place, count in enumerate(counts))


def shaped(*shape: int) -> Callable[[int], tuple[Tensor, ...]]:
    """[N, *shape]."""
    return lambda n: (draw(n, *shape, seed=3),)


class Scale(nn.Module):
    """Bare parameters around a covered layer."""

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.ones(6)), nn.Parameter(torch.tensor(0.5))
        self.layer = nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x * self.scale + self.shift)


class Tokens(nn.Module):
    """A class token and positions, as vision transformers have them."""

    def __init__(self) -> None:
        super().__init__()
        self.token, self.positions = nn.Parameter(torch.zeros(1, 1, 6)), nn.Parameter(torch.zeros(1, 5, 6))
        layer = nn.TransformerEncoderLayer(6, 2, 8, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.positions
        return self.encoder(x)[:, 0]


class ForeignNorm(nn.Module):
    """RMS norm as language models write it."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(6))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * (x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6))


class Mine(nn.Linear):
    """A subclass whose forward differs from its parent's."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * self.weight.square().sum()


class Parallel(nn.Module):
    """An attention that reads its own bare projection by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.queries = nn.ParameterList([nn.Parameter(torch.zeros(6, 3)) for _ in range(2)])

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([torch.softmax(x @ each, -1) for each in self.queries], -1)


class Dictionary(nn.Module):
    """A module with a keyword argument, a mapping for an output and parameters in a ParameterDict."""

    def __init__(self) -> None:
        super().__init__()
        self.tables = nn.ParameterDict({"a": nn.Parameter(torch.ones(6)), "b": nn.Parameter(torch.ones(6))})

    def forward(self, x: Tensor, *, mask: Tensor | None = None) -> dict[str, Tensor]:
        masked = x if mask is None else x * mask[..., None]
        return {"a": masked * self.tables["a"], "b": masked + self.tables["b"]}


class ScaledRecurrent(nn.Module):
    """Bare parameters around a recurrent layer, a cell and an attention."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(6))
        self.layer, self.cell = nn.LSTM(6, 4, batch_first=True), nn.GRUCell(4, 4)
        self.attention = nn.MultiheadAttention(4, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        states = self.layer(x * self.scale)[0]
        return self.cell(self.attention(states, states, states)[0].mean(1))


class Wrapped(nn.Module):
    """Layers around a recurrent one."""

    def __init__(self) -> None:
        super().__init__()
        self.before, self.cell, self.after = nn.Linear(6, 6), nn.GRU(6, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.cell(torch.tanh(self.before(x)))[1][-1])


def old_weight_norm() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module: nn.Module = nn.utils.weight_norm(nn.Linear(6, 3))
    return module


def encoder(batch_first: bool) -> nn.Module:
    layer = nn.TransformerEncoderLayer(6, 2, 8, dropout=0.0, batch_first=batch_first)
    return nn.TransformerEncoder(layer, 2, nn.LayerNorm(6), enable_nested_tensor=False)


def decoder(batch_first: bool) -> nn.Module:
    return nn.TransformerDecoder(nn.TransformerDecoderLayer(6, 2, 8, dropout=0.0, batch_first=batch_first), 1)


def transformer(batch_first: bool) -> nn.Module:
    return nn.Transformer(6, 2, 1, 1, 8, dropout=0.0, batch_first=batch_first)


def attended(module: nn.Module, x: Tensor) -> Tensor:
    return first(module(x, x, x))


def crossed(module: nn.Module, x: Tensor, memory: Tensor) -> Tensor:
    return first(module(x, memory, memory))


def state_of(module: nn.Module, x: Tensor) -> Tensor:
    """The last state, whose second axis is the sample's."""
    return first(module(x)[1]).transpose(0, 1)


def narrower(n: int) -> tuple[Tensor, ...]:
    return draw(n, 5, 6, seed=3), draw(n, 4, 3, seed=4)


KINDS = {
    "LSTM": Kind(lambda: nn.LSTM(6, 4, batch_first=True), sequence(5)),
    "LSTM, two layers, both ways": Kind(lambda: nn.LSTM(6, 4, 2, batch_first=True, bidirectional=True), sequence(5)),
    "LSTM, projected": Kind(lambda: nn.LSTM(6, 4, batch_first=True, proj_size=2), sequence(5)),
    "LSTM, sequence first": Kind(lambda: nn.LSTM(6, 4), sequence_first(5), axis=1),
    "LSTM, its state": Kind(lambda: nn.LSTM(6, 4, batch_first=True), sequence(5), call=state_of),
    "GRU": Kind(lambda: nn.GRU(6, 4, batch_first=True), sequence(5)),
    "GRU, without bias, both ways": Kind(
        lambda: nn.GRU(6, 4, batch_first=True, bias=False, bidirectional=True), sequence(5)
    ),
    "RNN": Kind(lambda: nn.RNN(6, 4, batch_first=True), sequence(5)),
    "RNN, relu": Kind(lambda: nn.RNN(6, 4, batch_first=True, nonlinearity="relu"), sequence(5)),
    "LSTMCell": Kind(lambda: nn.LSTMCell(6, 4), shaped(6)),
    "GRUCell": Kind(lambda: nn.GRUCell(6, 4), shaped(6)),
    "RNNCell": Kind(lambda: nn.RNNCell(6, 4), shaped(6)),
    "layers around a GRU": Kind(Wrapped, sequence(5)),
    "MultiheadAttention": Kind(lambda: nn.MultiheadAttention(6, 2, batch_first=True), sequence(5), call=attended),
    "MultiheadAttention, sequence first": Kind(
        lambda: nn.MultiheadAttention(6, 2), sequence_first(5), axis=1, call=attended
    ),
    "MultiheadAttention, two sources": Kind(
        lambda: nn.MultiheadAttention(6, 2, batch_first=True), sequence(5, 3), call=crossed
    ),
    "MultiheadAttention, narrow keys": Kind(
        lambda: nn.MultiheadAttention(6, 2, kdim=3, vdim=3, batch_first=True), narrower, call=crossed
    ),
    "MultiheadAttention, added keys": Kind(
        lambda: nn.MultiheadAttention(6, 2, add_bias_kv=True, batch_first=True), sequence(5), call=attended
    ),
    "MultiheadAttention, zero attention": Kind(
        lambda: nn.MultiheadAttention(6, 2, add_zero_attn=True, bias=False, batch_first=True),
        sequence(5),
        call=attended,
    ),
    "TransformerEncoderLayer": Kind(
        lambda: nn.TransformerEncoderLayer(6, 2, 8, dropout=0.0, batch_first=True), sequence(5)
    ),
    "TransformerEncoder": Kind(lambda: encoder(True), sequence(5)),
    "TransformerEncoder, sequence first": Kind(lambda: encoder(False), sequence_first(5), axis=1),
    "TransformerDecoderLayer": Kind(
        lambda: nn.TransformerDecoderLayer(6, 2, 8, dropout=0.0, batch_first=True), sequence(5, 3)
    ),
    "TransformerDecoder, sequence first": Kind(lambda: decoder(False), sequence_first(5, 3), axis=1),
    "Transformer": Kind(lambda: transformer(True), sequence(5, 3)),
    "Transformer, sequence first": Kind(lambda: transformer(False), sequence_first(5, 3), axis=1),
    "bare parameters": Kind(Scale, sequence(5)),
    "class token and positions": Kind(Tokens, sequence(4)),
    "ParameterList": Kind(Parallel, sequence(5)),
    "ParameterDict, mapping": Kind(
        Dictionary, sequence(5), call=lambda module, x: torch.cat(list(module(x).values()), -1)
    ),
    "keyword argument": Kind(
        Dictionary, sequence(5), call=lambda module, x: module(x, mask=(x[..., 0] > 0).to(x.dtype))["a"]
    ),
    "bare parameters around recurrent layers": Kind(ScaledRecurrent, sequence(5)),
    "PReLU": Kind(nn.PReLU, shaped(5)),
    "PReLU of channels": Kind(lambda: nn.PReLU(3), shaped(3, 4)),
    "Conv3d": Kind(lambda: nn.Conv3d(2, 3, 2), shaped(2, 3, 4, 3)),
    "ConvTranspose1d": Kind(lambda: nn.ConvTranspose1d(3, 2, 2, stride=2), shaped(3, 5)),
    "ConvTranspose2d": Kind(lambda: nn.ConvTranspose2d(2, 4, 3, stride=2, groups=2), shaped(2, 3, 4)),
    "ConvTranspose3d": Kind(lambda: nn.ConvTranspose3d(2, 3, 2), shaped(2, 3, 2, 3)),
    "Bilinear": Kind(lambda: nn.Bilinear(6, 6, 3), lambda n: (draw(n, 6, seed=3), draw(n, 6, seed=4))),
    "EmbeddingBag": Kind(lambda: nn.EmbeddingBag(9, 3), lambda n: (ids(n, 5, seed=3),)),
    "EmbeddingBag, max": Kind(lambda: nn.EmbeddingBag(9, 3, mode="max"), lambda n: (ids(n, 5, seed=3),)),
    "InstanceNorm1d": Kind(lambda: nn.InstanceNorm1d(3, affine=True), shaped(3, 5)),
    "InstanceNorm2d": Kind(lambda: nn.InstanceNorm2d(2, affine=True), shaped(2, 3, 4)),
    "weight_norm": Kind(lambda: parametrizations.weight_norm(nn.Linear(6, 3)), shaped(6)),
    "weight_norm of a convolution": Kind(
        lambda: nn.Sequential(parametrizations.weight_norm(nn.Conv1d(3, 2, 2)), nn.Tanh()), shaped(3, 5)
    ),
    "weight_norm, the old one": Kind(old_weight_norm, shaped(6)),
    "orthogonal": Kind(lambda: parametrizations.orthogonal(nn.Linear(6, 3)), shaped(6)),
    "RMS norm of another library": Kind(ForeignNorm, sequence(5)),
    "a subclass of Linear": Kind(lambda: Mine(6, 3), shaped(6)),
}
