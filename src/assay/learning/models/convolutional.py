"""A convolutional network whose layers all have a rule for gradients of single samples."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class ConvolutionalNetwork(nn.Module):
    """Two strided convolutions and two linear layers on square images given as rows of pixels.

    Strides stand where pooling usually does and nothing mixes samples, so that every layer has a per-sample rule.
    """

    def __init__(
        self, side: int, colours: int, outputs: int, channels: tuple[int, int] = (16, 32), hidden: int = 64
    ) -> None:
        super().__init__()
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
        outputs: Tensor = self.last(torch.tanh(self.third(hidden)))
        return outputs
