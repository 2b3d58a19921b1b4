"""Torch networks for training by gradients, and the drawing of their weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeVar

import torch
from torch import nn

from assay.learning.models.model import Model, Shape

Network = TypeVar("Network", bound=nn.Module)


def build_network(model: Model, shape: Shape, generator: torch.Generator) -> nn.Module:
    """The model's network with weights drawn from `generator`, or by its constructor from torch's, seeded there."""
    if model.draws_weights:
        with torch.random.fork_rng():
            torch.manual_seed(generator.initial_seed())
            return model.network(shape)
    network = model.network(shape)
    draw_weights(network, generator)
    return network


def layers(widths: Sequence[int], activation: str = "tanh", bias: bool = True) -> nn.Sequential:
    """Linear layers from each width to the next with tanh or relu between them, their weights not yet drawn."""
    between = nn.Tanh if activation == "tanh" else nn.ReLU

    def stacked() -> nn.Sequential:
        network = nn.Sequential()
        for place, (entering, leaving) in enumerate(pairwise(widths)):
            if place:
                network.append(between())
            network.append(nn.Linear(entering, leaving, bias=bias))
        return network

    return blank(stacked)


def blank(build: Callable[[], Network]) -> Network:
    """A network whose weights are memory as it comes: nothing is drawn from torch's global generator."""
    with torch.device("meta"):
        network = build()
    return network.to_empty(device="cpu")


@torch.no_grad()
def draw_weights(network: nn.Module, generator: torch.Generator) -> None:
    """Uniform weights within 1/sqrt(fan in), zero biases, from `generator`."""
    for parameter in network.parameters():
        if parameter.dim() < 2:
            parameter.zero_()
        else:
            bound = parameter[0].numel() ** -0.5
            parameter.uniform_(-bound, bound, generator=generator)
