"""Rules that bound what one sample contributes to a sum of gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from assay.errors import InputError


@dataclass(frozen=True)
class ClippedSum:
    """Sum of clipped per-sample gradients, with what its sensitivity follows from.

    `gradients` holds a tensor a parameter, `max_grad_norm` is the largest L2 norm that one sample's share of the sum can
    have, over all parameters together, and `samples` counts the samples, those that contribute zero included. The mechanism
    that adds noise divides by the expected batch size, not by `samples`, which is private under Poisson sampling.
    """

    gradients: dict[str, Tensor]
    max_grad_norm: float
    samples: int


class Clipping(Protocol):
    """Weights that bound each sample's gradient."""

    def weights(self, layer_norms: Tensor, layers: Sequence[str]) -> Tensor:
        """Factors [N], or [layers, N], from norms [layers, N]."""
        ...

    def bound(self, layers: Sequence[str]) -> float:
        """Largest L2 norm of a clipped gradient over all `layers`."""
        ...


@dataclass(frozen=True)
class Flat:
    """g min(1, C / |g|) with the norm over all layers; source: Abadi et al., arXiv 1607.00133, algorithm 1."""

    max_grad_norm: float

    def __post_init__(self) -> None:
        _positive("max_grad_norm", self.max_grad_norm)

    def weights(self, layer_norms: Tensor, layers: Sequence[str]) -> Tensor:
        """min(1, C / |g|) [N]."""
        return shrinkage(_whole(layer_norms), self.max_grad_norm)

    def bound(self, layers: Sequence[str]) -> float:
        """C."""
        return self.max_grad_norm


@dataclass(frozen=True)
class PerLayer:
    """Each layer's gradient is clipped to its own norm; one number C stands for C / sqrt(layers) in each layer.

    Source: McMahan et al., arXiv 1710.06963, section 3 (per-layer clipping).
    """

    max_grad_norm: float | Mapping[str, float]

    def __post_init__(self) -> None:
        given = self.max_grad_norm
        for name, value in given.items() if isinstance(given, Mapping) else {"": given}.items():
            _positive(f"max_grad_norm[{name!r}]" if name else "max_grad_norm", value)

    def weights(self, layer_norms: Tensor, layers: Sequence[str]) -> Tensor:
        """min(1, C_l / |g_l|) [layers, N]."""
        limits = self._limits(layers)
        return torch.stack([shrinkage(norms, limits[name]) for name, norms in zip(layers, layer_norms, strict=True)])

    def bound(self, layers: Sequence[str]) -> float:
        """sqrt(sum of C_l^2)."""
        return float(sum(self._limits(layers)[name] ** 2 for name in layers) ** 0.5)

    def _limits(self, layers: Sequence[str]) -> Mapping[str, float]:
        if not isinstance(self.max_grad_norm, Mapping):
            return dict.fromkeys(layers, self.max_grad_norm / len(layers) ** 0.5)
        missing = [name for name in layers if name not in self.max_grad_norm]
        if missing:
            raise InputError(
                "max_grad_norm", sorted(self.max_grad_norm), f"lacks the layer {missing[0]}", "name every layer"
            )
        return self.max_grad_norm


@dataclass(frozen=True)
class Automatic:
    """g C / (|g| + gamma): every gradient is normalised, so that C needs no tuning apart from the learning rate.

    Source: Bu et al., arXiv 2206.07136, AUTO-S (gamma > 0, 0.01 in the paper) and AUTO-V (gamma = 0).
    """

    max_grad_norm: float = 1.0
    gamma: float = 0.01

    def __post_init__(self) -> None:
        _positive("max_grad_norm", self.max_grad_norm)
        if not self.gamma >= 0:
            raise InputError("gamma", self.gamma, "must be >= 0", "the paper takes 0.01")

    def weights(self, layer_norms: Tensor, layers: Sequence[str]) -> Tensor:
        """C / (|g| + gamma) [N]; zero for a gradient of norm zero."""
        norms = _whole(layer_norms)
        limit = self.max_grad_norm * _room(norms)
        return torch.where(norms > 0, limit / (norms + self.gamma), 0.0)

    def bound(self, layers: Sequence[str]) -> float:
        """C."""
        return self.max_grad_norm


def _whole(layer_norms: Tensor) -> Tensor:
    norms: Tensor = torch.linalg.vector_norm(layer_norms, dim=0)
    return norms


def shrinkage(norms: Tensor, max_norm: float, roundings: int = 8) -> Tensor:
    """Factors min(1, C / norm) for norms of any shape, short of the limit C by `roundings` roundings.

    Guarantee: a vector of finite norm times its factor has a norm of at most `max_norm`, rounding included.
    """
    limit = max_norm * _room(norms, roundings)
    return limit / norms.clamp(min=limit)


def _room(norms: Tensor, roundings: int = 8) -> float:
    return 1 - roundings * torch.finfo(norms.dtype).eps


def _positive(name: str, value: float) -> None:
    if not 0 < value < float("inf"):
        raise InputError(name, value, "must be > 0 and finite", "1.0 is a usual choice")
