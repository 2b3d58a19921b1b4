"""Any torch network as a model with a replicate axis."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.func import functional_call, vjp, vmap

from assay.errors import InputError
from assay.learning.models.heads import Head
from assay.learning.models.torch_networks import draw_weights


class FunctionalNetwork:
    """A network whose parameters are one flat vector, in the order of ``network.parameters()``.

    The network must treat samples apart and draw nothing at random (no batch normalisation, no dropout in training mode);
    its own parameters are only drawn anew by `initial`. Gradients of one row a lane are taken for all lanes at once by
    torch.func, or by plain autograd where there is one lane, which takes half the time; outputs are computed copy by copy,
    all rows at once. `widest` is the largest number of intermediate values of one row, by which blocks are sized.
    """

    trains_from_zeros = False

    def __init__(self, network: nn.Module, head: Head, widest: int) -> None:
        self._network, self.head, self.widest = network.requires_grad_(False), head, widest
        self._names = [name for name, _ in network.named_parameters()]
        self._shapes = [parameter.shape for parameter in network.parameters()]
        self.parameter_count = sum(map(math.prod, self._shapes))

    def initial(self, how: str, generator: torch.Generator) -> Tensor:
        """Uniform weights within 1/sqrt(fan in) and zero biases; InputError for zeros, where hidden units stay equal."""
        if how == "zeros":
            limit = "a network needs a start in which its units differ"
            raise InputError("valuation.initialisation", how, limit, "use random")
        draw_weights(self._network, generator)
        return nn.utils.parameters_to_vector(self._network.parameters()).double()

    def _parameters(self, theta: Tensor) -> dict[str, Tensor]:
        parts = torch.split(theta, [math.prod(shape) for shape in self._shapes])
        return {name: part.view(shape) for name, part, shape in zip(self._names, parts, self._shapes, strict=True)}

    def _forward(self, theta: Tensor, features: Tensor) -> Tensor:
        outputs: Tensor = functional_call(self._network, self._parameters(theta), (features,))
        return outputs

    def _row_gradient(self, theta: Tensor, features: Tensor, target: Tensor) -> Tensor:
        def outputs_at(point: Tensor) -> Tensor:
            return self._forward(point, features[None])[0]

        outputs, pull_back, *_ = vjp(outputs_at, theta)
        gradient: Tensor = pull_back(self.head.residual(outputs, target))[0]
        return gradient

    def row_gradients(self, theta: Tensor, features: Tensor, target: Tensor) -> Tensor:
        """Backpropagation of one row through each lane's own weights."""
        if len(theta) > 1:
            gradients: Tensor = vmap(self._row_gradient)(theta, features, target)
            return gradients
        with torch.enable_grad():
            leaf = theta[0].detach().requires_grad_()
            outputs = self._forward(leaf, features)
            residual = self.head.residual(outputs.detach(), target)
            (gradient,) = torch.autograd.grad(outputs, leaf, residual)
        return gradient[None]

    def outputs(self, theta: Tensor, features: Tensor) -> Tensor:
        """Outputs [B, n, c] of every copy on every row."""
        return torch.stack([self._forward(copy, features) for copy in theta])
