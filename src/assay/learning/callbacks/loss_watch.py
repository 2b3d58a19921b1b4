"""Sees the losses whose mean depends on who is in a batch."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor
from torch.overrides import TorchFunctionMode

from assay.errors import AssayError

_CLASSES: tuple[Callable[..., Tensor], ...] = (functional.cross_entropy, functional.nll_loss)
_SIGNATURES = {function: inspect.signature(function) for function in _CLASSES}


class LossWatch(TorchFunctionMode):
    """While it is entered, class losses with a mean over weights of classes or over rows that are not ignored are refused.

    Their divisor depends on the labels of the batch, so that one row changes what all others add.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """The function's own answer; raises AssayError first."""
        signature = _SIGNATURES.get(func)
        if signature is not None:
            _check(signature.bind(*args, **(kwargs or {})))
        return func(*args, **(kwargs or {}))


def _check(bound: inspect.BoundArguments) -> None:
    bound.apply_defaults()
    given = bound.arguments
    if given["reduction"] != "mean":
        return
    target = given["target"]
    if torch._C._functorch.is_batchedtensor(target):
        return  # one row alone
    if given["weight"] is not None:
        raise AssayError(
            "loss: a mean over weights of classes divides by what the batch holds, so that a row changes what others add "
            "(reduction='none', then weight and average: (weight[y] * losses).mean())"
        )
    if not target.is_floating_point() and bool((target == given["ignore_index"]).any()):
        raise AssayError(
            f"loss: ignores targets of {given['ignore_index']} and divides by those that are left, so that a row changes what "
            "others add (reduction='none', then average over the batch and over a row's own tokens)"
        )
