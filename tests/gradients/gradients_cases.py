"""Models, batches and losses, and the slow definition: gradients of one row at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from assay.gradients import LayerError, PerSampleGradients

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}
Gradients = dict[str, Tensor]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=generator(seed), dtype=torch.float64).to(dtype)


def ids(*shape: int, below: int = 9, seed: int = 0) -> Tensor:
    return torch.randint(below, shape, generator=generator(seed))


def settled(model: nn.Module, dtype: torch.dtype, seed: int = 0) -> nn.Module:
    """The model with all parameters drawn anew from a known seed, biases and norm scales included."""
    model = model.to(dtype)
    for number, parameter in enumerate(model.parameters()):
        scale = 0.5 / max(1, parameter.numel() // len(parameter)) ** 0.5 if parameter.dim() > 1 else 0.3
        parameter.data = draw(*parameter.shape, seed=seed + number, dtype=dtype) * scale + (parameter.dim() == 1) * 0.5
    return model


def squared(model: nn.Module, features: Tensor) -> Tensor:
    """A loss of each sample that no two outputs enter alike."""
    outputs = model(features).flatten(1)
    weights = torch.linspace(0.5, 1.5, outputs.shape[1], dtype=outputs.dtype)
    return ((outputs - 0.3).square() * weights).sum(1) / outputs.shape[1]


def next_token(model: nn.Module, tokens: Tensor) -> Tensor:
    """Mean cross entropy over a sample's own tokens."""
    scores = model(tokens)
    scores = scores if isinstance(scores, Tensor) else scores.logits
    return functional.cross_entropy(scores[:, :-1].transpose(1, 2), tokens[:, 1:], reduction="none").mean(1)


class Twice(nn.Module):
    """One linear layer called twice, around a shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, features: Tensor) -> Tensor:
        return self.layer(torch.tanh(self.layer(features))) + features


class Language(nn.Module):
    """Embedding, positions of shape [1, T], norm and a head that may share its weight with the embedding."""

    def __init__(self, tied: bool, norm: type[nn.Module] = nn.LayerNorm) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(9, 6, padding_idx=0), nn.Embedding(8, 6)
        self.mix, self.norm, self.head = nn.Linear(6, 6), norm(6), nn.Linear(6, 9, bias=False)
        if tied:
            self.head.weight = self.tokens.weight

    def forward(self, tokens: Tensor) -> Tensor:
        states = self.tokens(tokens) + self.positions(torch.arange(tokens.shape[1])[None])
        states = states + torch.tanh(self.mix(states)).cumsum(1)
        return self.head(self.norm(states))


class Bag(nn.Module):
    """Embeddings of one id a sample, the same table read twice."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(9, 5)

    def forward(self, pairs: Tensor) -> Tensor:
        return self.table(pairs[:, 0]) * torch.tanh(self.table(pairs[:, 1]))


class Shared(nn.Module):
    """Two modules that share one weight, one of them with a bias."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.Linear(4, 4, bias=False), nn.Linear(4, 4)
        self.other.weight = self.one.weight

    def forward(self, features: Tensor) -> Tensor:
        return self.other(torch.tanh(self.one(features)))


class Adapter(nn.Module):
    """A frozen layer with a trained correction of low rank."""

    def __init__(self) -> None:
        super().__init__()
        self.base, self.down, self.up = nn.Linear(4, 6), nn.Linear(4, 2, bias=False), nn.Linear(2, 6, bias=False)
        self.base.requires_grad_(False)

    def forward(self, features: Tensor) -> Tensor:
        return self.base(features) + self.up(self.down(features))


def frozen_start() -> nn.Module:
    model = nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    model[0].requires_grad_(False)
    model[2].bias.requires_grad_(False)
    return model


def gpt2() -> nn.Module:
    from transformers import GPT2Config, GPT2LMHeadModel

    sizes = {"vocab_size": 9, "n_positions": 8, "n_embd": 6, "n_layer": 2, "n_head": 2}
    rates = dict.fromkeys(["resid_pdrop", "embd_pdrop", "attn_pdrop"], 0.0)
    return GPT2LMHeadModel(GPT2Config(**sizes, **rates, bos_token_id=1, eos_token_id=2))


@dataclass(frozen=True)
class Case:
    build: Callable[[], nn.Module]
    inputs: Callable[[int], Tensor]
    loss: Callable[..., Tensor] = squared


def _image(channels: int, height: int, width: int) -> Callable[[int], Tensor]:
    return lambda count: draw(count, channels, height, width, seed=3)


def _convolution(*arguments: Any, **options: Any) -> Case:
    return Case(lambda: nn.Sequential(nn.Conv2d(*arguments, **options), nn.Tanh()), _image(arguments[0], 9, 8))


def _signal(*arguments: Any, **options: Any) -> Case:
    return Case(lambda: nn.Sequential(nn.Conv1d(*arguments, **options), nn.Tanh()), lambda n: draw(n, arguments[0], 10))


def _tokens(count: int) -> Tensor:
    return ids(count, 5)


CASES: dict[str, Case] = {
    "linear": Case(lambda: nn.Linear(5, 3), lambda n: draw(n, 5)),
    "linear without bias": Case(lambda: nn.Linear(5, 3, bias=False), lambda n: draw(n, 5)),
    "linear of sequences, written out": Case(lambda: nn.Linear(3, 2), lambda n: draw(n, 6, 3)),
    "linear of sequences, ghost": Case(lambda: nn.Linear(12, 10), lambda n: draw(n, 3, 12)),
    "linear of sequences of length one": Case(lambda: nn.Linear(3, 2), lambda n: draw(n, 1, 3)),
    "linear of images": Case(lambda: nn.Linear(12, 10), lambda n: draw(n, 2, 2, 12)),
    "mlp": Case(lambda: nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3)), lambda n: draw(n, 5)),
    "mlp in place": Case(lambda: nn.Sequential(nn.Linear(5, 4), nn.ReLU(True), nn.Linear(4, 3)), lambda n: draw(n, 5)),
    "conv2d": _convolution(2, 3, 3),
    "conv2d, stride, padding, dilation": _convolution(2, 3, (3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2)),
    "conv2d, groups": _convolution(4, 6, 3, groups=2, padding=1),
    "conv2d, depthwise": _convolution(4, 4, 3, groups=4, bias=False),
    "conv2d, channels last": _convolution(6, 3, 3, stride=2),
    "conv2d, sixteen kernels": _convolution(3, 16, 3, stride=2),
    "conv2d, sixteen kernels, channels last": _convolution(7, 16, 3, stride=2),
    "conv2d, ghost": _convolution(20, 24, (3, 3), stride=(4, 5), padding=1),
    "conv2d, ghost, channels first": _convolution(2, 64, (7, 7), stride=9),
    "conv2d, same": _convolution(2, 3, (2, 3), padding="same"),
    "conv2d, reflect": _convolution(2, 3, 3, padding=1, padding_mode="reflect"),
    "conv1d": _signal(3, 4, 3),
    "conv1d, stride, padding, dilation": _signal(3, 4, 3, stride=2, padding=2, dilation=2),
    "conv1d, groups": _signal(4, 8, 3, groups=4),
    "conv1d, ghost": _signal(40, 30, 3, stride=4),
    "embedding": Case(lambda: nn.Embedding(9, 4), lambda n: ids(n, 5)),
    "embedding, padding": Case(lambda: nn.Embedding(9, 4, padding_idx=2), lambda n: ids(n, 5)),
    "embedding of one id": Case(lambda: nn.Embedding(9, 4), lambda n: ids(n)),
    "embedding called twice": Case(Bag, lambda n: ids(n, 2)),
    "layer norm": Case(lambda: nn.LayerNorm(5), lambda n: draw(n, 5)),
    "layer norm of sequences": Case(lambda: nn.LayerNorm((2, 5)), lambda n: draw(n, 3, 2, 5)),
    "layer norm without bias": Case(lambda: nn.LayerNorm(5, bias=False), lambda n: draw(n, 3, 5)),
    "rms norm": Case(lambda: nn.RMSNorm(5), lambda n: draw(n, 3, 5)),
    "group norm": Case(lambda: nn.GroupNorm(2, 4), lambda n: draw(n, 4, 3, 3)),
    "group norm of vectors": Case(lambda: nn.GroupNorm(2, 4), lambda n: draw(n, 4)),
    "layer called twice": Case(Twice, lambda n: draw(n, 4)),
    "layer called twice on sequences": Case(Twice, lambda n: draw(n, 3, 4)),
    "shared weight": Case(Shared, lambda n: draw(n, 3, 4)),
    "language model": Case(lambda: Language(tied=False), _tokens, next_token),
    "language model, tied": Case(lambda: Language(tied=True), _tokens, next_token),
    "language model, rms norm": Case(lambda: Language(tied=False, norm=nn.RMSNorm), _tokens, next_token),
    "frozen parts": Case(frozen_start, lambda n: draw(n, 5)),
    "low-rank adapter": Case(Adapter, lambda n: draw(n, 3, 4)),
}


def one_row_at_a_time(model: nn.Module, loss: Callable[..., Tensor], inputs: Tensor) -> Gradients:
    """The definition: autograd on each row as a batch."""
    named = {name: value for name, value in model.named_parameters() if value.requires_grad}
    rows = []
    for number in range(len(inputs)):
        one = loss(model, inputs[number : number + 1]).sum()
        gradients = torch.autograd.grad(one, list(named.values()), allow_unused=True)
        rows.append([torch.zeros_like(p) if g is None else g for p, g in zip(named.values(), gradients, strict=True)])
    return {
        name: torch.stack([row[number] for row in rows]) if rows else value.new_zeros(0, *value.shape)
        for number, (name, value) in enumerate(named.items())
    }


def flat(gradients: Gradients) -> Tensor:
    """[N, P] of gradients with a sample axis."""
    return torch.cat(
        [value.reshape(len(value), value[:1].numel() if len(value) else 0) for value in gradients.values()], 1
    )


def vector(gradients: Gradients) -> Tensor:
    """[P] of gradients without a sample axis."""
    return torch.cat([value.flatten() for value in gradients.values()])


def close(actual: Tensor, expected: Tensor, tolerance: float) -> bool:
    """True where the difference is at most `tolerance` of the expected norm: key biases of attention have gradient zero."""
    if actual.shape != expected.shape:
        return False
    return float((actual - expected).norm()) <= tolerance * max(float(expected.norm()), 1e-30)


class Wrapped(nn.Module):
    """A module whose forward is given."""

    def __init__(self, forward: object, **parts: nn.Module) -> None:
        super().__init__()
        self._do = forward
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, features: Tensor) -> Tensor:
        return self._do(self, features)  # type: ignore[operator]


def refused(model: nn.Module, inputs: Tensor, match: str, kind: type[Exception] = LayerError, **options: bool) -> None:
    """Asserts that a model is refused with a message, and left as it was."""
    model = settled(model, torch.float64)
    with pytest.raises(kind, match=match):
        PerSampleGradients(model, **options).record(squared, inputs).clipped_sum(1.0)
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
