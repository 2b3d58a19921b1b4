"""Each callback alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pytorch_lightning import LightningModule

from assay.learning.callbacks.clip_row_gradients import ClipRowGradients
from assay.learning.callbacks.record_values import RecordValues
from assay.learning.callbacks.release_gradients import ReleaseGradients
from assay.learning.callbacks.reuse_releases import ReuseReleases
from assay.learning.callbacks.save_rounds import SaveRounds
from assay.learning.callbacks.show_rounds import ShowRounds
from assay.learning.marginals import MarginalSums
from assay.privacy.budget import Budget
from assay.privacy.ledger import Ledger
from assay.privacy.noise.sources import SeededNoise
from assay.privacy.rows.account import RowAccount
from assay.privacy.rows.reuse import ReuseMatrix

MODULE: Any = LightningModule()


@given(st.floats(1e-3, 1e3), st.sampled_from([torch.float32, torch.float64]), st.integers(0, 100))
def test_no_clipped_norm_exceeds_the_sensitivity(norm: float, dtype: torch.dtype, seed: int) -> None:
    gradient = torch.randn(50, 6, generator=torch.Generator().manual_seed(seed), dtype=dtype) * 10 * norm
    clipped = ClipRowGradients(norm).on_row_gradient(MODULE, gradient, torch.arange(50), 1)
    assert clipped.double().norm(dim=1).max() <= norm
    torch.testing.assert_close(  # the direction stays
        torch.nn.functional.cosine_similarity(clipped, gradient), torch.ones(50, dtype=dtype), rtol=1e-5, atol=1e-5
    )


def test_small_gradients_pass_whole() -> None:
    gradient = torch.tensor([[0.3, -0.4]], dtype=torch.float64)
    torch.testing.assert_close(ClipRowGradients(1.0).on_row_gradient(MODULE, gradient, torch.tensor([0]), 1), gradient)


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_cannot_pass_unclipped(broken: float) -> None:
    gradient = torch.tensor([[broken, 1.0], [3.0, 4.0]])
    clipped = ClipRowGradients(1.0).on_row_gradient(MODULE, gradient, torch.arange(2), 1)
    assert clipped[0].tolist() == [0.0, 0.0]
    assert clipped[1].norm() == pytest.approx(1.0, rel=1e-5)


def release(sigma: float = 3.0, norm: float = 2.0, rows: int = 1) -> ReleaseGradients:
    ledger = Ledger(RowAccount(Budget(50.0, 1e-5), ClipRowGradients(norm).sensitivity, rows))
    return ReleaseGradients(SeededNoise(lambda number: number, torch.float64), sigma, ledger)


def test_noise_has_the_deviation_accounted_for() -> None:
    """Deviation sigma * C, at 4 standard errors over 40,000 draws; half-scale noise would miss it by far."""
    callback = release(sigma=3.0, norm=2.0)
    callback.on_round_start(MODULE, 1, np.array([[0]]))
    noisy = callback.on_row_gradient(MODULE, torch.zeros(1, 40_000, dtype=torch.float64), torch.tensor([0]), 1)
    assert float(noisy.std()) == pytest.approx(6.0, abs=4 * 6.0 / 80_000**0.5)
    assert float(noisy.mean()) == pytest.approx(0.0, abs=4 * 6.0 / 200)


def test_a_release_outside_a_round_is_refused() -> None:
    with pytest.raises(RuntimeError, match="outside a round"):
        release().on_row_gradient(MODULE, torch.zeros(1, 2), torch.tensor([0]), 1)


def test_reuse_is_the_running_mean_matrix() -> None:
    rounds, rows, replicates = 6, 3, 2
    releases = torch.randn(rounds, replicates, rows, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    reuse = ReuseReleases(rows)
    weights = torch.from_numpy(ReuseMatrix.weighted(np.ones(rounds)).weights)
    expected = torch.einsum("tl,lrnp->trnp", weights, releases)
    for t in range(rounds):
        for row in range(rows):
            each = torch.tensor([row, (row + 1) % rows])  # replicates meet rows in different orders
            gradient = releases[t, torch.arange(replicates), each].clone()
            step = reuse.on_row_gradient(MODULE, gradient, each, t + 1)
            torch.testing.assert_close(step, expected[t, torch.arange(replicates), each])
    torch.testing.assert_close(reuse.mean_releases(rounds), releases.mean(0))


def test_nothing_to_reuse_before_the_first_release() -> None:
    with pytest.raises(ValueError, match="nothing has been released"):
        ReuseReleases(3).mean_releases(1)


def test_values_and_errors_are_means_over_rounds_after_the_burn_in() -> None:
    marginals = np.random.default_rng(0).normal(size=(6, 1, 3))
    order, weights = np.array([[2, 0, 1]]), np.array([0.5, 1.0, 1.5])
    record = RecordValues(MarginalSums(3, 1, burn_in=2, weights=weights))
    for t in range(6):
        record.on_round_end(MODULE, t + 1, order, marginals[t])
    used = (marginals * weights)[2:, 0]
    np.testing.assert_allclose(record.marginals.values()[0][[2, 0, 1]], used.mean(axis=0))
    np.testing.assert_allclose(record.marginals.std_errors()[0][[2, 0, 1]], used.std(axis=0, ddof=1) / 2)
    assert (record.marginals.evaluations == 4).all()


def test_one_round_has_no_standard_error() -> None:
    sums = MarginalSums(2)
    sums.add(1, np.array([[0, 1]]), np.array([[1.0, 2.0]]))
    assert np.isnan(sums.std_errors()).all()


class Fit(LightningModule):
    """Stands for a module with one number of state."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    def get_extra_state(self) -> int:
        return self.steps

    def set_extra_state(self, state: int) -> None:
        self.steps = state


def test_a_save_is_resumed_with_all_state(tmp_path: Path) -> None:
    path, module = tmp_path / "rounds.pt", Fit()
    record, reuse, released = RecordValues(MarginalSums(1)), ReuseReleases(1), release()
    module.steps = 7
    record.on_round_end(module, 1, np.array([[0]]), np.array([[2.5]]))
    reuse.on_row_gradient(module, torch.ones(1, 2), torch.tensor([0]), 1)
    released.on_round_start(module, 1, np.array([[0]]))
    released.on_row_gradient(module, torch.zeros(1, 2, dtype=torch.float64), torch.tensor([0]), 1)

    class Surroundings:
        callbacks = (released, reuse, record)

    trainer: Any = Surroundings()
    SaveRounds(path, seconds=0).on_train_batch_end(trainer, module, None, torch.tensor([3, 4]), 0)

    other, save = Fit(), SaveRounds(path, seconds=0)
    fresh = [release(), ReuseReleases(1), RecordValues(MarginalSums(1))]
    assert save.resume(other, fresh) == 4
    assert other.steps == 7
    assert fresh[2].marginals.values() == np.array([[2.5]])  # type: ignore[attr-defined]
    assert fresh[1].mean_releases(1).tolist() == [[[1.0, 1.0]]]  # type: ignore[attr-defined]
    assert (fresh[0].ledger.account.touches == 1).all()  # type: ignore[attr-defined]
    assert save.cost().seconds > 0


def test_without_a_save_a_fit_starts_at_the_beginning(tmp_path: Path) -> None:
    assert SaveRounds(tmp_path / "none.pt", 1).resume(Fit(), []) == 0
    assert SaveRounds(None, 1).resume(Fit(), []) == 0


def test_saves_keep_their_distance(tmp_path: Path) -> None:
    save = SaveRounds(tmp_path / "rounds.pt", seconds=3600)
    save.on_train_batch_end(None, Fit(), None, torch.tensor([1]), 0)  # type: ignore[arg-type]
    assert not (tmp_path / "rounds.pt").exists()


def test_progress_counts_rounds() -> None:
    seen: list[int] = []
    ShowRounds(seen.append).on_train_batch_end(None, Fit(), None, torch.tensor([4, 5, 6]), 1)  # type: ignore[arg-type]
    assert seen == [3]
