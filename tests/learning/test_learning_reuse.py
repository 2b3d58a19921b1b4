"""Online reuse of releases against the explicit product of matrix and releases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from pytorch_lightning import LightningModule
from tests.mechanisms import privacy_of
from torch import Tensor

from assay.learning.callbacks.combine_releases import CombineReleases
from assay.learning.callbacks.reuse_releases import ReuseReleases
from assay.privacy.rows.reuse import ReuseMatrix

MODULE: Any = LightningModule()
K, N, R, P = 7, 5, 2, 3
RELEASES = torch.randn(K, R, N, P, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
ORDERS = np.random.default_rng(1).permuted(np.tile(np.arange(N), (K, R, 1)), axis=2)


def steps(callback: ReuseReleases | CombineReleases, wave: int, first: int = 0, last: int = K) -> Tensor:
    """The direction [K, R, n, P] that each row steps along when rounds are walked in waves; NaN in rounds before and after."""
    directions = torch.full_like(RELEASES, torch.nan)
    for start in range(first, last, wave):
        rounds = range(start, min(start + wave, last))
        for step in range(N):
            lanes = [(t, r, int(ORDERS[t, r, step])) for t in rounds for r in range(R)]
            gradient = torch.stack([RELEASES[lane] for lane in lanes])
            taken = callback.on_row_gradient(MODULE, gradient, torch.tensor([row for *_, row in lanes]), start + 1)
            for lane, along in zip(lanes, taken, strict=True):
                directions[lane] = along
    return directions


def product(matrix: ReuseMatrix) -> Tensor:
    return torch.einsum("tl,lrnp->trnp", torch.from_numpy(matrix.weights), RELEASES)


@pytest.mark.parametrize("mechanism", ["running_mean", "front_loaded"])
@pytest.mark.parametrize("wave", [1, 2, 3, 7, 9])
def test_online_means_equal_the_product_and_the_matrix_given_whole(mechanism: str, wave: int) -> None:
    privacy = privacy_of(mechanism, first_share=0.6)
    matrix = privacy.reuse_matrix(K, wave)
    online = ReuseReleases(N, privacy.release_weights(K), R)
    whole = CombineReleases(N, ReuseMatrix.checked(matrix.weights, K, wave), R)
    expected = product(matrix)
    torch.testing.assert_close(steps(online, wave), expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(steps(whole, wave), expected, rtol=0, atol=1e-12)
    weights = torch.from_numpy(privacy.release_weights(K))[:, None, None, None]
    torch.testing.assert_close(online.mean_releases(K), (RELEASES * weights).sum(0) / weights.sum(), rtol=0, atol=1e-12)
    torch.testing.assert_close(whole.mean_releases(K), RELEASES.mean(0), rtol=0, atol=1e-12)


def test_any_matrix_is_carried_out() -> None:
    weights = np.tril(np.random.default_rng(3).normal(size=(K, K)))
    weights /= weights.sum(axis=1, keepdims=True)
    matrix = ReuseMatrix.checked(weights, K)
    torch.testing.assert_close(steps(CombineReleases(N, matrix, R), 1), product(matrix), rtol=0, atol=1e-12)


def test_a_wave_that_used_its_other_lanes_would_have_less_noise_than_stated() -> None:
    """Broken variant: releases of the wave join the sums at once, so that a lane met later steps along them too."""

    class Eager(ReuseReleases):
        def on_row_gradient(self, module: LightningModule, gradient: Tensor, rows: Tensor, number: int) -> Tensor:
            step = super().on_row_gradient(module, gradient, rows, number)
            self._close_wave()
            return step

    expected = product(ReuseMatrix.weighted(np.ones(K), 3))
    assert not torch.allclose(steps(Eager(N, None, R), 3), expected)
    torch.testing.assert_close(steps(ReuseReleases(N, None, R), 3), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("wave", [1, 3])
@pytest.mark.parametrize("keep", ["online", "whole"])
def test_saved_between_waves_it_goes_on_in_the_same_bytes(wave: int, keep: str) -> None:
    def fresh() -> ReuseReleases | CombineReleases:
        if keep == "online":
            return ReuseReleases(N, None, R)
        return CombineReleases(N, ReuseMatrix.weighted(np.ones(K), wave), R)

    whole, interrupted, resumed = steps(fresh(), wave), fresh(), fresh()
    steps(interrupted, wave, last=3)
    resumed.load_state_dict(interrupted.state_dict())
    assert torch.equal(steps(resumed, wave, first=3)[3:], whole[3:])


def test_nothing_released_has_no_mean() -> None:
    for callback in (ReuseReleases(N), CombineReleases(N, ReuseMatrix.weighted(np.ones(2)))):
        with pytest.raises(ValueError, match="nothing has been released"):
            callback.mean_releases(1)
