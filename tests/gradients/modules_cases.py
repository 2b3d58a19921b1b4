"""Modules that have no rule of their own, each with its arguments and the axes of the samples, for rewritten forwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from gradients_cases import draw, ids
from own_modules import (
    Dictionary,
    Dora,
    DoraOfLayers,
    ForeignNorm,
    Mine,
    Parallel,
    Scale,
    ScaledRecurrent,
    Tokens,
    Wrapped,
    decoder,
    encoder,
    old_weight_norm,
    transformer,
)
from torch import Tensor, nn
from torch.nn.utils import parametrizations
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


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


def attended(module: nn.Module, x: Tensor) -> Tensor:
    return first(module(x, x, x))


def crossed(module: nn.Module, x: Tensor, memory: Tensor) -> Tensor:
    return first(module(x, memory, memory))


def state_of(module: nn.Module, x: Tensor) -> Tensor:
    """The last state, whose second axis is the sample's."""
    return first(module(x)[1]).transpose(0, 1)


def packed(module: nn.Module, x: Tensor, lengths: Tensor) -> Tensor:
    """Outputs of sequences of several lengths, zero after the end of each."""
    given = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    output: Tensor = pad_packed_sequence(module(given)[0], batch_first=True, total_length=5)[0]
    return output


def end_of_packed(module: nn.Module, x: Tensor, lengths: Tensor) -> Tensor:
    """The state at the end of each sequence."""
    return first(module(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))[1]).transpose(0, 1)


def of_lengths(n: int) -> tuple[Tensor, ...]:
    return draw(n, 5, 6, seed=3), torch.tensor([3, 5, 1, 4, 2])[torch.arange(n) % 5]


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
    "LSTM, packed, two layers, both ways": Kind(
        lambda: nn.LSTM(6, 4, 2, batch_first=True, bidirectional=True), of_lengths, call=packed
    ),
    "GRU, packed": Kind(lambda: nn.GRU(6, 4, batch_first=True), of_lengths, call=packed),
    "RNN, packed, its state": Kind(
        lambda: nn.RNN(6, 4, batch_first=True, bidirectional=True), of_lengths, call=end_of_packed
    ),
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
    "DoRA": Kind(Dora, shaped(6)),
    "DoRA of layers": Kind(DoraOfLayers, sequence(5)),
    "RMS norm of another library": Kind(ForeignNorm, sequence(5)),
    "a subclass of Linear": Kind(lambda: Mine(6, 3), shaped(6)),
}
