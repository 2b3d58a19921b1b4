"""Batches as nested tuples, lists and dicts of tensors."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from assay.errors import InputError


def sample_count(batch: tuple[Any, ...]) -> int:
    """Length of the first axis of the first tensor in the batch."""
    for leaf in batch if batch and isinstance(batch[0], Tensor) else tree_leaves(batch):
        if isinstance(leaf, Tensor) and leaf.dim():
            return len(leaf)
    raise InputError(
        "batch", type(batch).__name__, "must hold a tensor with the samples on its first axis", "pass tensors"
    )


def sample_axes(batch: tuple[Any, ...], samples: int) -> tuple[Any, ...]:
    """The batch with 0 in place of each tensor whose first axis is the sample's, and None elsewhere."""
    return tree_map(lambda leaf: 0 if _has_samples(leaf, samples) else None, batch)  # type: ignore[no-any-return]


def one_sample(batch: tuple[Any, ...], samples: int, row: int) -> tuple[Any, ...]:
    """The batch of one sample."""
    return tree_map(  # type: ignore[no-any-return]
        lambda leaf: leaf[row : row + 1] if _has_samples(leaf, samples) else leaf, batch
    )


def _has_samples(leaf: object, samples: int) -> bool:
    return isinstance(leaf, Tensor) and leaf.dim() > 0 and len(leaf) == samples
