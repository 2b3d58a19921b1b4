"""A network with canaries: rows of a table whose gradients are directions that an auditor chose."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from assay.gradients.clipping import Clipping
from assay.gradients.recorded import layer_of
from assay.learning.modules.supervised import Supervised


@dataclass(frozen=True, eq=False)
class Directions:
    """Orthogonal directions that share the parameters of a network among `count` canaries.

    Each parameter belongs to one canary, `owner` [P], by chance; along a canary's direction its parameters move by equal
    steps of random signs. `weights` [P] are the gradients of all canaries together, of one norm each.
    """

    count: int
    names: tuple[str, ...]  # of the parameters
    owner: Tensor
    weights: Tensor

    @classmethod
    def draw(
        cls, network: nn.Module, count: int, norm: float, generator: np.random.Generator, dtype: torch.dtype
    ) -> Directions:
        """Directions of gradients of a norm in a network's trained parameters; at most one for each of these."""
        trained = {name: parameter for name, parameter in network.named_parameters() if parameter.requires_grad}
        size = sum(parameter.numel() for parameter in trained.values())
        owner = np.empty(size, dtype=np.int64)
        owner[generator.permutation(size)] = np.arange(size) % count
        signs = generator.choice([-1.0, 1.0], size)
        weights = norm * signs / np.sqrt(np.bincount(owner, minlength=count)[owner])
        return cls(count, tuple(trained), torch.from_numpy(owner), torch.from_numpy(weights).to(dtype))

    def losses(self, parameters: Iterable[Tensor]) -> Tensor:
        """The loss of every canary [count]: linear in the parameters, so that its gradient stays the same."""
        flat = torch.cat([parameter.flatten() for parameter in parameters])
        return flat.new_zeros(self.count).index_add(0, self.owner.to(flat.device), self.weights.to(flat) * flat)

    def clipped(self, network: nn.Module, clipping: Clipping, prefix: str) -> Tensor:
        """The clipped gradients of all canaries together [P]; `prefix` stands before names of parameters in the training."""
        owners = [layer_of(f"{prefix}{name}") for name in self.names]
        layers = list(dict.fromkeys(owners))
        sizes = torch.tensor([parameter.numel() for parameter in self.of(network)])
        layer = torch.repeat_interleave(torch.tensor([layers.index(owner) for owner in owners]), sizes)
        squares = self.weights.new_zeros(len(layers), self.count)
        squares.index_put_((layer, self.owner), self.weights**2, accumulate=True)
        factors = clipping.weights(squares.sqrt(), layers)
        return self.weights * (factors[self.owner] if factors.dim() == 1 else factors[layer, self.owner])

    def scores(self, gradients: Mapping[str, Tensor], along: Tensor) -> Tensor:
        """Parts of a sum [count] along each canary's share of `along` [P], made a unit vector."""
        flat = torch.cat([gradients[name].detach().flatten() for name in self.names]).cpu().double()
        dots, squares = (
            flat.new_zeros(self.count).index_add(0, self.owner, each * along.double())
            for each in (flat, along.double())
        )
        return dots / squares.sqrt()

    def of(self, network: nn.Module) -> list[nn.Parameter]:
        """The parameters of a network."""
        named = dict(network.named_parameters())
        return [named[name] for name in self.names]


class Planted(nn.Module):
    """Losses of canaries, by a module that shares the network's parameters: the network itself keeps its layers' rules."""

    def __init__(self, network: nn.Module, directions: Directions) -> None:
        super().__init__()
        self.directions = directions
        self.parameters_of_network = nn.ParameterList(directions.of(network))

    def forward(self, canary: Tensor) -> Tensor:
        """The loss of each row's canary [N]; that of the first one where a row is none."""
        return self.directions.losses(self.parameters_of_network)[canary.clamp(min=0)]


class WithCanaries(Supervised):
    """Trains on rows and on canaries: a batch holds features, targets and, for each row, the canary's number or -1.

    A canary's features and target are not looked at; its loss is that of its direction.
    """

    def __init__(
        self, network: nn.Module, kind: str, optimizer: Callable[..., torch.optim.Optimizer], directions: Directions
    ) -> None:
        super().__init__(network, kind, optimizer)
        self.directions, self.planted = directions, Planted(network, directions)

    def losses(self, features: Tensor, target: Tensor, canary: Tensor | None = None) -> Tensor:
        """One loss a sample [N]."""
        losses = super().losses(features, target)
        if canary is None:
            return losses
        return torch.where(canary >= 0, self.planted(canary), losses)
