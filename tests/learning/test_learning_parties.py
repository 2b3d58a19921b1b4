"""A party's gradient and its release against slow definitions, and what must be refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from pytorch_lightning import Callback

from assay.learning.callbacks.record_values import RecordValues
from assay.learning.callbacks.release_party_gradients import ReleasePartyGradients
from assay.learning.callbacks.reuse_releases import ReuseReleases
from assay.learning.fitting import Batches, quiet
from assay.learning.marginals import MarginalSums
from assay.learning.models.generalized_linear import GeneralizedLinear
from assay.learning.models.heads import head_for
from assay.learning.models.party_mean import PartyMean, party_rows
from assay.learning.modules.permutation_pass import PermutationPass, Rows
from assay.learning.trainer import Trainer
from assay.privacy.budget import Budget
from assay.privacy.ledger import Ledger, OverspentError
from assay.privacy.noise.sources import SeededNoise
from assay.privacy.relations import Relation
from assay.privacy.rows.parties import Level, PartyAccount, PartySensitivity

D, PARTIES = 3, [np.array([4, 0]), np.array([1]), np.array([2, 3, 5])]
GENERATOR = np.random.default_rng(0)
X, Y = GENERATOR.standard_normal((6, D)), 3 * GENERATOR.standard_normal(6)
ROWS = party_rows(X, Y, PARTIES, torch.float64)
LINEAR = GeneralizedLinear(D, head_for("regression", 0))
BUDGET = Budget(5.0, 1e-5)


def sensitivity(level: Level = Level.RECORD, norm: float = 0.8) -> PartySensitivity:
    return PartySensitivity(norm, Relation.ZERO_OUT, tuple(len(rows) for rows in PARTIES), level)


def clipped_mean(theta: np.ndarray, rows: np.ndarray, norm: float) -> np.ndarray:
    """The definition, one record at a time."""
    total = np.zeros(D + 1)
    for row in rows:
        x = np.append(X[row], 1.0)
        gradient = (theta @ x - Y[row]) * x
        total += gradient / max(1.0, float(np.linalg.norm(gradient)) / norm)
    return total / len(rows)


@pytest.mark.parametrize("norm", [0.8, 1e9])
def test_the_mean_is_that_of_clipped_records(norm: float) -> None:
    theta = np.random.default_rng(1).standard_normal((3, D + 1))
    model = PartyMean(LINEAR, sensitivity(norm=norm) if norm < 1e9 else None)
    order = torch.tensor([2, 0, 1])
    gradients = model.row_gradients(torch.from_numpy(theta), ROWS.features[order], ROWS.target[order]).numpy()
    expected = [clipped_mean(theta[lane], PARTIES[party], norm) for lane, party in enumerate(order)]
    np.testing.assert_allclose(gradients, expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_rounding_does_not_carry_a_mean_beyond_the_norm(dtype: torch.dtype) -> None:
    """Forty equal records, all clipped: the mean is as long as it can be."""
    rows = party_rows(np.full((40, D), 7.0), np.full(40, 50.0), [np.arange(40)], dtype)
    model = PartyMean(LINEAR, PartySensitivity(0.8, Relation.ZERO_OUT, (40,), Level.CLIENT))
    mean = model.row_gradients(torch.zeros(1, D + 1, dtype=dtype), rows.features, rows.target)
    assert 0.7999 < float(mean.double().norm()) <= 0.8


def one_fit(callbacks: list[Callback], model: PartyMean, rounds: int = 4) -> None:
    start = torch.zeros(LINEAR.parameter_count, dtype=torch.float64)
    valid = Rows(torch.from_numpy(X), torch.from_numpy(Y))
    orders = [np.random.default_rng(t).permuted(np.tile(np.arange(3), (2, 1)), axis=1) for t in range(rounds + 1)]
    module = PermutationPass(
        model, ROWS, valid, start, orders.__getitem__, learning_rate=0.1, utility="negative_loss", replicates=2
    )
    with quiet():
        trainer = Trainer().build(callbacks, max_epochs=1)
        trainer.fit(module, train_dataloaders=Batches([torch.arange(1, rounds + 1)]))


def release(noise_of: PartySensitivity, account_of: PartySensitivity, releases: int = 4) -> ReleasePartyGradients:
    ledger = Ledger(PartyAccount(BUDGET, account_of, replicates=2))
    noise = SeededNoise(lambda number: number, torch.float64)
    return ReleasePartyGradients(noise, BUDGET.noise_multiplier(releases, noise_of), ledger, noise_of)


def test_every_party_is_released_once_a_round_and_the_budget_is_spent() -> None:
    released, record = release(sensitivity(), sensitivity()), RecordValues(MarginalSums(3, 2))
    one_fit([released, ReuseReleases(3), record], PartyMean(LINEAR, sensitivity()))
    assert (released.ledger.account.touches == 4).all()  # type: ignore[attr-defined]
    assert released.ledger.epsilon() == pytest.approx(5.0, rel=1e-6)
    assert [entry["most_per_party"] for entry in released.ledger.entries] == [1, 2, 3, 4]
    assert released.ledger.entries[-1]["level"] == "record"
    assert np.isfinite(record.marginals.values()).all()


def test_one_round_too_many_is_refused() -> None:
    released = release(sensitivity(), sensitivity(), releases=3)
    with pytest.raises(OverspentError):
        one_fit([released], PartyMean(LINEAR, sensitivity()))
    assert released.ledger.account.touches.max() == 3  # type: ignore[attr-defined]


def test_noise_has_the_deviation_of_each_party() -> None:
    """Deviation sigma * C / |D|, at 5 standard errors over 20,000 draws; that of another size would miss it by far."""
    released = release(sensitivity(), sensitivity(), releases=3)
    released.on_round_start(None, 1, None)  # type: ignore[arg-type]
    for party, size in enumerate((2, 1, 3)):
        zeros = torch.zeros(2, 10_000, dtype=torch.float64)
        noisy = released.on_row_gradient(None, zeros, torch.tensor([party, party]), 1)  # type: ignore[arg-type]
        expected = released.noise_multiplier * 0.8 / size
        assert float(noisy.std()) == pytest.approx(expected, rel=5 / 40_000**0.5)


RECORD, CLIENT = sensitivity(), sensitivity(Level.CLIENT)


@pytest.mark.parametrize(
    ("noise", "account", "model"),
    [
        (RECORD, CLIENT, CLIENT),  # noise of C/|D| where C is due
        (RECORD, RECORD, sensitivity(norm=2.0)),  # clipped wider than accounted for
        (RECORD, RECORD, None),  # not clipped at all
    ],
    ids=["noise", "clipping", "no clipping"],
)
def test_a_sensitivity_that_disagrees_is_refused_before_the_fit(noise: Any, account: Any, model: Any) -> None:
    with pytest.raises(ValueError, match="use a PartyMean with the same sensitivity"):
        one_fit([release(noise, account)], PartyMean(LINEAR, model))


def test_a_callback_between_clipping_and_release_is_refused() -> None:
    with pytest.raises(ValueError, match="release first"):
        one_fit([ReuseReleases(3), release(RECORD, RECORD)], PartyMean(LINEAR, RECORD))


def test_a_release_outside_a_round_is_refused() -> None:
    with pytest.raises(RuntimeError, match="outside a round"):
        release(RECORD, RECORD).on_row_gradient(None, torch.zeros(1, 2), torch.tensor([0]), 1)  # type: ignore[arg-type]
