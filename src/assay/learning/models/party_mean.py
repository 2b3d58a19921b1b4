"""A party's gradient: the mean over its rows of their clipped gradients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assay.learning.models.replicated import ReplicatedModel
from assay.learning.modules.permutation_pass import Rows
from assay.privacy.clipping import Clip
from assay.privacy.rows.parties import PartySensitivity


class PartyMean:
    """Stands in for a model whose rows are parties, laid out by `party_rows`.

    Guarantee: with a sensitivity, each row's gradient is clipped to its norm before the mean is taken, so that the mean of
    party i moves by at most ``sensitivity.relation.factor * sensitivity.reach[i]`` under the stated relation and level.
    """

    def __init__(self, model: ReplicatedModel, sensitivity: PartySensitivity | None) -> None:
        self.model, self.sensitivity = model, sensitivity
        self.head, self.parameter_count = model.head, model.parameter_count
        self.widest, self.trains_from_zeros = model.widest, model.trains_from_zeros
        self.initial, self.outputs = model.initial, model.outputs

    def row_gradients(self, theta: Tensor, features: Tensor, target: Tensor) -> Tensor:
        """Mean gradient [R, P] of one party for each replicate: theta [R, P], features [R, L, d + 1], target [R, L]."""
        replicates, places, columns = features.shape
        copies = theta[:, None].expand(-1, places, -1).reshape(replicates * places, -1)
        rows = features[..., :-1].reshape(-1, columns - 1)
        gradient = self.model.row_gradients(copies, rows, target.reshape(-1)).view(replicates, places, -1)
        if self.sensitivity is not None:
            gradient = Clip(self.sensitivity, roundings=8 + places)(gradient)
        return torch.einsum("rl,rlp->rp", features[..., -1], gradient)


def party_rows(
    features: NDArray[np.float64],
    target: NDArray[np.float64 | np.int64],
    rows: Sequence[NDArray[np.int64]],
    dtype: torch.dtype,
) -> Rows:
    """Parties as rows: features [m, L, d + 1] and target [m, L], L the size of the largest, filled up with zeros.

    The last column of features is the weight of the row in its party's mean: 1/|D|, and 0 where filled up.
    """
    longest = max(len(members) for members in rows)
    table = np.zeros((len(rows), longest, features.shape[1] + 1))
    wanted = np.zeros((len(rows), longest))
    for party, members in enumerate(rows):
        table[party, : len(members), :-1] = features[members]
        table[party, : len(members), -1] = 1 / len(members)
        wanted[party, : len(members)] = target[members]
    return Rows(torch.tensor(table, dtype=dtype), torch.tensor(wanted, dtype=dtype))
