"""Modules as users and other libraries write them: bare parameters, adapters, layers around layers."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn


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


class Dora(nn.Module):
    """An adapter with a magnitude, arXiv 2402.09353: magnitude * (W + BA) / norm of its rows, W frozen, B and A bare."""

    def __init__(self) -> None:
        super().__init__()
        self.base = nn.Linear(6, 3).requires_grad_(False)
        self.down, self.up = nn.Parameter(torch.zeros(2, 6)), nn.Parameter(torch.zeros(3, 2))
        self.magnitude = nn.Parameter(torch.ones(3))

    def forward(self, x: Tensor) -> Tensor:
        directed = self.base.weight + self.up @ self.down
        weight = self.magnitude[:, None] * directed / directed.norm(dim=1, keepdim=True)
        return nn.functional.linear(x, weight, self.base.bias)


class DoraOfLayers(nn.Module):
    """The same with adapters that are layers, and the norm taken for constant (section 4.3)."""

    def __init__(self) -> None:
        super().__init__()
        self.base = nn.Linear(6, 3).requires_grad_(False)
        self.down, self.up = nn.Linear(6, 2, bias=False), nn.Linear(2, 3, bias=False)
        self.magnitude = nn.Parameter(torch.ones(3))

    def forward(self, x: Tensor) -> Tensor:
        norm = (self.base.weight + self.up.weight @ self.down.weight).norm(dim=1).detach()
        plain = nn.functional.linear(x, self.base.weight) + self.up(self.down(x))
        return self.magnitude / norm * plain + self.base.bias


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
