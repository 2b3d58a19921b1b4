"""Steps along any combination of a row's past private gradients that a lower-triangular matrix names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from assay.learning.callbacks.rounds import RoundCallback
from assay.privacy.rows.reuse import ReuseMatrix

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule


class CombineReleases(RoundCallback):
    """Replaces the release of a row in round t by ``sum_l X[t, l] y_l`` over its releases of rounds 1 .. t.

    Post-processing of releases: costs no privacy beyond theirs, provided it stands after ReleaseGradients. The noise of the
    steps has the covariance X X^T of the matrix. Lanes beyond ``replicates`` are further rounds of the same wave, of which
    the matrix may combine none with another. Memory: every release is kept, k vectors [P] for each row and replicate.

    Example:
        >>> Trainer(callbacks=[clip, release, CombineReleases(100, ReuseMatrix(weights))])  # doctest: +SKIP
    """

    def __init__(self, rows: int, matrix: ReuseMatrix, replicates: int = 1) -> None:
        self._rows, self._matrix, self._replicates = rows, matrix, replicates
        self._releases: Tensor | None = None

    def on_row_gradient(self, module: LightningModule, gradient: Tensor, rows: Tensor, number: int) -> Tensor:
        """Keeps each release and returns the combination that its round has."""
        lanes, parameters = gradient.shape
        if self._releases is None:
            shape = (len(self._matrix.weights), self._replicates * self._rows, parameters)
            self._releases = gradient.new_zeros(shape)
        self._releases = self._releases.to(gradient.device)
        lane = torch.arange(lanes, device=rows.device)
        places = rows + self._rows * (lane % self._replicates)
        rounds = number - 1 + lane // self._replicates
        self._releases[rounds, places] = gradient
        last = number + (lanes - 1) // self._replicates
        weights = torch.from_numpy(self._matrix.weights).to(gradient)[rounds, :last]
        return torch.einsum("lt,tlp->lp", weights, self._releases[:last, places])

    def mean_releases(self, rounds: int) -> Tensor:
        """Mean release of each row [R, n, P] after `rounds` rounds; ValueError before the first."""
        if self._releases is None:
            raise ValueError("nothing has been released yet")
        return self._releases[:rounds].mean(0).view(self._replicates, self._rows, -1)

    def state_dict(self) -> dict[str, Any]:
        """All releases."""
        return {"releases": self._releases}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes the releases of an interrupted fit."""
        self._releases = state_dict["releases"]
