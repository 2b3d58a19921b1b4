"""Steps along a weighted mean of a row's past private gradients instead of along the last one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assay.learning.callbacks.rounds import RoundCallback

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule


class ReuseReleases(RoundCallback):
    """Replaces the release of a row in round t by the mean of its releases of rounds 1 .. t.

    ``weights`` [k] say what each round's release counts for (default: the same), so that inverse noise variances give the
    mean of least variance. Of ``replicates`` lanes all walk the same round; more lanes are further rounds, walked in a
    wave: each then has its own release and those of earlier waves, and all join the sums when the wave is over.

    Post-processing of releases: costs no privacy beyond theirs, provided it stands after ReleaseGradients. Under equal
    noise the variance of round t falls to 1/t of a release's, to 1/(W (b - 1) + 1) in wave b of W rounds; the matrix that
    it carries out is `ReuseMatrix.weighted`. Memory: a vector [P] for each row and replicate, another with waves.
    Source: 2412.17008, the matrix X* as reconstructed; waves and unequal weights [derived].

    Example:
        >>> Trainer(callbacks=[clip, release, ReuseReleases(rows=100), RecordValues(rows=100)])  # doctest: +SKIP
    """

    def __init__(self, rows: int, weights: NDArray[np.float64] | None = None, replicates: int | None = None) -> None:
        self._rows, self._weights, self._replicates = rows, weights, replicates
        self._sums: Tensor | None = None
        self._wave: Tensor | None = None  # what the wave's releases will add to the sums, and of which wave
        self._wave_start = 0

    def on_row_gradient(self, module: LightningModule, gradient: Tensor, rows: Tensor, number: int) -> Tensor:
        """Adds each release to its row's sum and returns the mean that the round has."""
        lanes, parameters = gradient.shape
        replicates = self._replicates or lanes
        if self._sums is None:
            self._sums = gradient.new_zeros(replicates * self._rows, parameters)
        self._sums = self._sums.to(gradient.device)  # a resumed fit may be on another device than the saved one
        places = rows + self._rows * torch.arange(replicates, device=rows.device).repeat(lanes // replicates)
        if number != self._wave_start:
            self._close_wave()
        if lanes == replicates:
            total = self._sums.index_select(0, places).add_(gradient, alpha=self._weight(number))
            self._sums.index_copy_(0, places, total)
            return total.div_(self._weight_until(number))
        if self._wave is None:
            self._wave, self._wave_start = torch.zeros_like(self._sums), number
        own = [self._weight(number + place) for place in range(lanes // replicates)]
        weight = gradient.new_tensor(own).repeat_interleave(replicates)[:, None]
        weighted = gradient * weight
        self._wave.index_add_(0, places, weighted)
        return weighted.add_(self._sums.index_select(0, places)).div_(weight + self._weight_until(number - 1))

    def _weight(self, number: int) -> float:
        return 1.0 if self._weights is None else float(self._weights[number - 1])

    def _weight_until(self, number: int) -> float:
        return float(number) if self._weights is None else float(self._weights[:number].sum())

    def _close_wave(self) -> None:
        if self._wave is not None and self._sums is not None:
            self._sums += self._wave
        self._wave, self._wave_start = None, 0

    def mean_releases(self, rounds: int) -> Tensor:
        """Mean release of each row [R, n, P] after `rounds` rounds; ValueError before the first."""
        if self._sums is None:
            raise ValueError("nothing has been released yet")
        self._close_wave()
        return self._sums.view(-1, self._rows, self._sums.shape[1]) / self._weight_until(rounds)

    def state_dict(self) -> dict[str, Any]:
        """The sums, between two waves."""
        self._close_wave()
        return {"sums": self._sums}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes the sums of an interrupted fit."""
        self._sums = state_dict["sums"]
