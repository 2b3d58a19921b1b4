"""The meaning of a model's outputs: loss, gradient of the loss in the outputs, hits."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional


class Head(Protocol):
    """Outputs [..., n, c] against targets [..., n]."""

    outputs: int

    def residual(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Gradient of the training loss of each row in its outputs [..., c]."""
        ...

    def loss(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Loss of each row [..., n] as the utility counts it."""
        ...

    def correct(self, outputs: Tensor, target: Tensor) -> Tensor:
        """1 where the prediction is right, else 0 [..., n]; ValueError for a regression."""
        ...


class SquaredError:
    """Regression: trains on half the squared error, and is judged by the squared error."""

    outputs = 1

    def residual(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Prediction minus target."""
        return outputs - target[..., None]

    def loss(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Squared error."""
        return (outputs[..., 0] - target) ** 2

    def correct(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Not defined for a regression."""
        raise ValueError("valuation.utility=accuracy: needs a classification target (use negative_loss)")


class BinaryCrossEntropy:
    """Two classes by one logit of class 1."""

    outputs = 1

    def residual(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Probability of class 1 minus its indicator."""
        return torch.sigmoid(outputs) - target[..., None]

    def loss(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy in nats."""
        return functional.softplus(outputs[..., 0]) - target * outputs[..., 0]

    def correct(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Signs of the logit that are right, as ones; at exactly 0 the prediction is class 0."""
        return ((outputs[..., 0] > 0) == (target > 0.5)).to(outputs.dtype)


class CrossEntropy:
    """Three or more classes by softmax."""

    def __init__(self, classes: int) -> None:
        self.outputs = classes

    def residual(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Probabilities minus the indicator of the class."""
        return torch.softmax(outputs, -1) - functional.one_hot(target.long(), self.outputs)

    def loss(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Cross-entropy in nats."""
        chosen = torch.gather(outputs, -1, target.long().expand(outputs.shape[:-1])[..., None])[..., 0]
        return torch.logsumexp(outputs, -1) - chosen

    def correct(self, outputs: Tensor, target: Tensor) -> Tensor:
        """Largest outputs of the right class, as ones; the first of equals wins."""
        return (outputs.argmax(-1) == target).to(outputs.dtype)


def head_for(kind: str, classes: int) -> Head:
    """The head for a target: squared error, one logit for two classes, softmax above."""
    if kind == "regression":
        return SquaredError()
    return BinaryCrossEntropy() if classes == 2 else CrossEntropy(classes)
