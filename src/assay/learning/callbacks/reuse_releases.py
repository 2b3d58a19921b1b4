"""Steps along the mean of a row's past private gradients instead of along the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from assay.learning.callbacks.rounds import RoundCallback

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule


class ReuseReleases(RoundCallback):
    """Replaces the release of a row in round t by the mean of its releases of rounds 1 .. t.

    Post-processing of releases: costs no privacy beyond theirs, provided it stands after ReleaseGradients. The noise of
    round t falls to 1/t of a release's variance and is correlated between rounds (1/max(s, t)).
    Memory: one vector [P] for each row and replicate. Source: 2412.17008, the matrix X* as reconstructed.

    Example:
        >>> Trainer(callbacks=[clip, release, ReuseReleases(rows=100), RecordValues(rows=100)])  # doctest: +SKIP
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._sums: Tensor | None = None

    def on_row_gradient(self, module: LightningModule, gradient: Tensor, rows: Tensor, number: int) -> Tensor:
        """Adds the release to the row's sum and returns the mean."""
        replicates, parameters = gradient.shape
        if self._sums is None:
            self._sums = gradient.new_zeros(replicates * self._rows, parameters)
        self._sums = self._sums.to(gradient.device)  # a resumed fit may be on another device than the saved one
        places = rows + self._rows * torch.arange(replicates, device=rows.device)
        total = self._sums.index_select(0, places).add_(gradient)
        self._sums.index_copy_(0, places, total)
        return total.div_(number)

    def mean_releases(self, rounds: int) -> Tensor:
        """Mean release of each row [R, n, P] after `rounds` rounds; ValueError before the first."""
        if self._sums is None:
            raise ValueError("nothing has been released yet")
        return self._sums.view(-1, self._rows, self._sums.shape[1]) / rounds

    def state_dict(self) -> dict[str, Any]:
        """The sums."""
        return {"sums": self._sums}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes the sums of an interrupted fit."""
        self._sums = state_dict["sums"]
