"""Networks for minibatch training, by name."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from assay.errors import InputError
from assay.learning.models.build import FITTED_WHOLE, ModelSpec


class ConvolutionalNetwork(nn.Module):
    """Two strided convolutions and two linear layers on square images given as rows of pixels.

    Strides stand where pooling usually does and nothing mixes samples, so that every layer has a per-sample rule.
    """

    def __init__(self, pixels: int, outputs: int, channels: tuple[int, int] = (16, 32), hidden: int = 64) -> None:
        super().__init__()
        colours = 3 if math.isqrt(pixels) ** 2 != pixels else 1
        side = math.isqrt(pixels // colours)
        if side * side * colours != pixels or side < 8:
            remedy = "use model=mlp, or a dataset of square images with one or three channels"
            raise InputError("model", "cnn", f"{pixels} features are no square image of 8 x 8 or more", remedy)
        self.colours, self.side = colours, side
        self.first = nn.Conv2d(colours, channels[0], 5, stride=2, padding=2)
        self.second = nn.Conv2d(channels[0], channels[1], 3, stride=2, padding=1)
        halved = math.ceil(side / 2)
        self.widest = channels[0] * halved * halved  # intermediate values of one image in the largest layer
        reduced = math.ceil(halved / 2)
        self.third = nn.Linear(channels[1] * reduced * reduced, hidden)
        self.last = nn.Linear(hidden, outputs)

    def forward(self, pixels: Tensor) -> Tensor:
        """Outputs [N, c] of pixels [N, side * side * colours], channels last."""
        image = pixels.view(-1, self.side, self.side, self.colours).permute(0, 3, 1, 2)
        hidden = torch.tanh(self.second(torch.tanh(self.first(image)))).flatten(1)
        found: Tensor = self.last(torch.tanh(self.third(hidden)))
        return found


def build_network(
    spec: ModelSpec, *, kind: str, classes: int, features: int, modality: str, generator: torch.Generator
) -> nn.Module:
    """The `blank_network` with weights drawn from `generator`."""
    network = blank_network(spec, kind=kind, classes=classes, features=features, modality=modality)
    draw_weights(network, generator)
    return network


def blank_network(spec: ModelSpec, *, kind: str, classes: int, features: int, modality: str) -> nn.Module:
    """The network for a target, its weights yet to be drawn: one output for a regression, else one for each class.

    Raises InputError for a model that is fitted whole and for a model that does not fit the target.
    """
    name = spec.resolved(kind, modality)
    outputs = 1 if kind == "regression" else classes
    if name in FITTED_WHOLE:
        raise InputError("model", name, "is not trained by gradients", "use model=linear, logistic, mlp or cnn")
    with torch.device("meta"):  # weights are drawn below, and not from the global generator
        if name == "cnn":
            network: nn.Module = ConvolutionalNetwork(features, outputs)
        else:
            widths = [features, *(spec.hidden if name == "mlp" else ()), outputs]
            network = nn.Sequential()
            for place, (entering, leaving) in enumerate(pairwise(widths)):
                if place:
                    network.append(nn.Tanh() if spec.activation == "tanh" else nn.ReLU())
                network.append(nn.Linear(entering, leaving, bias=spec.intercept or name not in ("linear", "logistic")))
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
