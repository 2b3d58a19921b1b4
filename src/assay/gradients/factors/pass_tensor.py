"""Tensors of the forward and backward pass, for later products."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from assay.errors import AssayError


class OverwrittenError(AssayError):
    """A tensor that gradients are made of was overwritten after its use in the pass."""


class PassTensor:
    """A tensor [N, ...] of one pass, with the products that the layers that share it need only once.

    Reading `value` after an in-place operation on the tensor raises OverwrittenError: gradients made of it would be wrong.
    Writes through `.data` leave no trace and cannot be noticed.
    """

    def __init__(self, tensor: Tensor, layer: str) -> None:
        self._tensor, self._layer = tensor.detach(), layer
        self._version = None if tensor.is_inference() else tensor._version  # nothing can write on an inference tensor
        self.users = 0
        self._shared: dict[str, tuple[Any, Any, int]] = {}

    @property
    def value(self) -> Tensor:
        """The tensor as it was."""
        if self._version is not None and self._tensor._version != self._version:
            raise OverwrittenError(
                f"layer={self._layer or '(the model itself)'}: a tensor it needs was overwritten in place after use "
                "(take the in-place operation out of place, e.g. inplace=False, x = x + y)"
            )
        return self._tensor

    def take(self, index: Tensor | slice) -> PassTensor:
        """The same for some of the samples."""
        return self.of(lambda value: value[index])

    def of(self, view: Callable[[Tensor], Tensor]) -> PassTensor:
        """A view of it, watched likewise."""
        return PassTensor(view(self.value), self._layer)

    def to(self, dtype: torch.dtype) -> PassTensor:
        """The same in another precision; itself where it has it already, or holds no numbers with a fraction."""
        if self._tensor.dtype == dtype or not self._tensor.is_floating_point():
            return self
        return self.of(lambda value: value.to(dtype))

    def flat(self) -> Tensor:
        """[N, T, features]; everything between the first and the last axis is T."""
        value = self.value
        return value if value.dim() == 3 else value.reshape(value.shape[0], -1, value.shape[-1])

    def gram(self) -> Tensor:
        """Inner products of each sample's positions [N, T, T]."""
        return self.once("gram", None, lambda: self.flat() @ self.flat().mT)

    def squares(self) -> Tensor:
        """Squared norm of each sample [N]."""
        return self.once("squares", None, lambda: squared_norms(self.value))

    def scaled(self, weights: Tensor) -> Tensor:
        """Every sample times its weight [N]."""
        shape = (-1, *[1] * (self.value.dim() - 1))
        return self.once("scaled", weights, lambda: self.value * weights.reshape(shape))

    def once(self, key: str, argument: object, compute: Callable[[], Tensor]) -> Tensor:
        """`compute()`, stored until each of the `users` has asked for it, and no longer."""
        product, of, left = self._shared.pop(key, (None, None, 0))
        if product is None or of is not argument:
            product, left = compute(), self.users
        if left > 1:
            self._shared[key] = (product, argument, left - 1)
        return product  # type: ignore[no-any-return]


def squared_norms(value: Tensor) -> Tensor:
    """Squared L2 norm of each sample [N] of a tensor [N, ...]."""
    flat = value if value.dim() == 2 else value.reshape(value.shape[0], -1)
    norms: Tensor = torch.linalg.vector_norm(flat, dim=1)
    return norms.square_()
