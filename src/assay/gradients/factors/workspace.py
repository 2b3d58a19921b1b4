"""Buffers that are used again from batch to batch: fresh memory costs a small model more than its arithmetic."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from weakref import finalize

import torch
from torch import Tensor


class Workspace:
    """Scratch memory of one engine, and buffers that are lent for as long as their borrower lives."""

    def __init__(self) -> None:
        self._scratch: dict[Any, Tensor] = {}
        self._free: defaultdict[Any, list[Tensor]] = defaultdict(list)

    def scratch(self, purpose: str, shape: torch.Size | tuple[int, ...], like: Tensor) -> Tensor:
        """A tensor of `shape` with anything in it, to be used up before the next call with this purpose."""
        size, key = torch.Size(shape).numel(), (purpose, like.dtype, like.device)
        buffer = self._scratch.get(key)
        if buffer is None or buffer.numel() < size:
            buffer = self._scratch[key] = like.new_empty(size)
        return buffer[:size].view(shape)

    def lend(self, borrower: object, shape: torch.Size | tuple[int, ...], like: Tensor) -> Tensor:
        """A tensor of `shape` with anything in it, that is lent again once the borrower is gone."""
        size = torch.Size(shape).numel()
        free = self._free[size, like.dtype, like.device]
        buffer = free.pop() if free else like.new_empty(size)
        finalize(borrower, free.append, buffer).atexit = False
        return buffer.view(shape)
