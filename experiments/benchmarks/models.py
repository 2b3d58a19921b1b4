"""Models and batches that steps are timed on; written so that every peer can take them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

WIDTH, TOKENS, VOCABULARY, DEPTH, HEADS, RANK = 128, 48, 1000, 4, 4, 8


@dataclass(frozen=True)
class Task:
    """A model, a batch and the losses [N] of one on the other."""

    model: nn.Module
    batch: tuple[Tensor, ...]
    losses: Callable[..., Tensor]


def _class_losses(model: Callable[..., Tensor], features: Tensor, target: Tensor) -> Tensor:
    return functional.cross_entropy(model(features), target, reduction="none")


def _token_losses(model: Callable[..., Tensor], ids: Tensor, positions: Tensor) -> Tensor:
    scores = model(ids, positions)[:, :-1]
    return functional.cross_entropy(scores.transpose(1, 2), ids[:, 1:], reduction="none").mean(1)


def _own_draws(build: Callable[..., Task]) -> Callable[..., Task]:
    """Weights and inputs are the same in every process, and the caller's generator is left as it was."""

    @wraps(build)
    def built(*arguments: object, **choices: object) -> Task:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return build(*arguments, **choices)

    return built


@_own_draws
def mlp(batch: int = 256) -> Task:
    """784-512-512-10."""
    layers = [nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)]
    return Task(nn.Sequential(*layers), (torch.randn(batch, 784), torch.randint(10, (batch,))), _class_losses)


@_own_draws
def cnn(batch: int = 256) -> Task:
    """Kernels 5x5/2 to 16 and 3x3/2 to 32 channels, 64 hidden units, on 28x28 images."""
    convolutions = [nn.Conv2d(1, 16, 5, 2), nn.ReLU(), nn.Conv2d(16, 32, 3, 2), nn.ReLU(), nn.Flatten()]
    model = nn.Sequential(*convolutions, nn.Linear(800, 64), nn.ReLU(), nn.Linear(64, 10))
    return Task(model, (torch.randn(batch, 1, 28, 28), torch.randint(10, (batch,))), _class_losses)


class Adapted(nn.Module):
    """A frozen linear layer with a trained correction of low rank."""

    def __init__(self, base: nn.Linear) -> None:
        super().__init__()
        self.base = base
        self.down = nn.Linear(base.in_features, RANK, bias=False)
        self.up = nn.Linear(RANK, base.out_features, bias=False)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.base(inputs) + self.up(self.down(inputs))


class Block(nn.Module):
    """Attention and two linear layers, each after a norm and around a shortcut."""

    def __init__(self, wrap: Callable[[nn.Linear], nn.Module]) -> None:
        super().__init__()
        self.norm_attention, self.norm_mlp = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.query, self.key, self.value, self.out = (wrap(nn.Linear(WIDTH, WIDTH)) for _ in range(4))
        self.widen, self.narrow = wrap(nn.Linear(WIDTH, 4 * WIDTH)), wrap(nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, states: Tensor) -> Tensor:
        inputs = self.norm_attention(states)
        split = (*inputs.shape[:2], HEADS, WIDTH // HEADS)
        query, key, value = (f(inputs).view(split).transpose(1, 2) for f in (self.query, self.key, self.value))
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        states = states + self.out(mixed.transpose(1, 2).reshape(inputs.shape))
        return states + self.narrow(functional.gelu(self.widen(self.norm_mlp(states))))


class Decoder(nn.Module):
    """A small language model; positions carry the batch axis, which peers need."""

    def __init__(self, wrap: Callable[[nn.Linear], nn.Module]) -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(TOKENS, WIDTH)
        self.blocks = nn.ModuleList(Block(wrap) for _ in range(DEPTH))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, VOCABULARY)

    def forward(self, ids: Tensor, positions: Tensor) -> Tensor:
        states = self.tokens(ids) + self.positions(positions)
        for block in self.blocks:
            states = block(states)
        return self.head(self.norm(states))


@_own_draws
def decoder(batch: int = 64, wrap: Callable[[nn.Linear], nn.Module] = lambda linear: linear) -> Task:
    """Four blocks of width 128, 48 tokens of 1000, everything trained."""
    ids = torch.randint(VOCABULARY, (batch, TOKENS))
    return Task(Decoder(wrap), (ids, torch.arange(TOKENS).repeat(batch, 1)), _token_losses)


def decoder_lora(batch: int = 64) -> Task:
    """The same with everything frozen but corrections of rank 8 on the six linear layers of each block."""
    task = decoder(batch, Adapted)
    for name, parameter in task.model.named_parameters():
        parameter.requires_grad_(".down." in name or ".up." in name)
    return task


MODELS: dict[str, Callable[..., Task]] = {"mlp": mlp, "cnn": cnn, "decoder": decoder, "decoder_lora": decoder_lora}
