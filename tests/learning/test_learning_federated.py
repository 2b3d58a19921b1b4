"""Federated rounds and who takes part in them, against slow definitions written here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pytorch_lightning import Callback

from assay.errors import InputError
from assay.learning.callbacks.record_values import RecordValues
from assay.learning.callbacks.rounds import RoundCallback
from assay.learning.fitting import Batches, quiet
from assay.learning.marginals import MarginalSums
from assay.learning.models.generalized_linear import GeneralizedLinear
from assay.learning.models.heads import head_for
from assay.learning.models.party_mean import PartyMean, party_rows
from assay.learning.modules.federated_rounds import FederatedRounds
from assay.learning.modules.permutation_pass import Rows
from assay.learning.participation import Participation, draw_participation
from assay.learning.trainer import Trainer
from assay.valuation.games import exact_semivalue
from assay.valuation.semivalues import semivalue_weights

Generators = Callable[[int], np.random.Generator]


def streams(seed: int) -> Generators:
    return lambda number: np.random.default_rng([seed, number])


@given(st.integers(2, 12), st.integers(1, 25), st.floats(0.05, 1), st.integers(0, 4), st.integers(0, 999))
def test_a_limit_holds_and_every_round_is_full(
    clients: int, rounds: int, fraction: float, spare: int, seed: int
) -> None:
    size = max(1, round(fraction * clients))
    most = -(-size * rounds // clients) + spare  # the least limit that the rounds fit under, or a little more
    drawn = draw_participation(clients, rounds, fraction, "fixed", most, streams(seed))
    assert [len(set(now)) for now in drawn.rounds] == [size] * rounds
    assert drawn.counts.max() <= most
    assert drawn.counts.sum() == size * rounds


def test_coins_have_the_stated_mean_and_keep_the_limit() -> None:
    free = draw_participation(50, 400, 0.3, "poisson", None, streams(0))
    # 20,000 coins with deviation sqrt(0.21): five standard errors are 0.016
    assert abs(free.counts.sum() / 20_000 - 0.3) < 0.016
    assert len({len(now) for now in free.rounds}) > 3
    assert draw_participation(50, 400, 0.02, "poisson", 8, streams(0)).counts.max() == 8


def test_a_round_depends_on_its_number_alone() -> None:
    short, long = (draw_participation(9, rounds, 0.4, "fixed", None, streams(3)) for rounds in (4, 9))
    for early, late in zip(short.rounds, long.rounds, strict=False):
        assert early.tolist() == late.tolist()


def test_a_limit_that_cannot_hold_is_refused() -> None:
    with pytest.raises(InputError, match=r"task.participations=4: 10 rounds of 5 need 5 participations of each of 10"):
        draw_participation(10, 10, 0.5, "fixed", 4, streams(0))


D = 2
GENERATOR = np.random.default_rng(0)
X, Y = GENERATOR.standard_normal((9, D)), GENERATOR.standard_normal(9)
PARTIES = [np.arange(0, 4), np.arange(4, 6), np.arange(6, 9)]
ROWS = party_rows(X, Y, PARTIES, torch.float64)
LINEAR = GeneralizedLinear(D, head_for("regression", 0), intercept=False)
RATE, SIZES = 0.3, np.array([4, 2, 3])


def utility(theta: NDArray[np.float64]) -> float:
    return -float(((X @ theta - Y) ** 2).mean())


def step_sum(theta: NDArray[np.float64], rows: NDArray[np.int64], steps: int) -> NDArray[np.float64]:
    local = theta.copy()
    for _ in range(steps):
        local -= RATE * X[rows].T @ (X[rows] @ local - Y[rows]) / len(rows)
    return (theta - local) / RATE


def federated(
    rounds: list[list[int]],
    steps: int,
    permutations: int,
    callbacks: list[Callback],
    semivalue: str = "shapley",
    release_each_step: bool = True,
) -> FederatedRounds:
    module = FederatedRounds(
        PartyMean(LINEAR, None),
        ROWS,
        SIZES.tolist(),
        Rows(torch.from_numpy(X), torch.from_numpy(Y)),
        torch.zeros(D, dtype=torch.float64),
        Participation(tuple(np.array(now, dtype=np.int64) for now in rounds), 3),
        streams(1),
        learning_rate=RATE,
        local_steps=steps,
        release_each_step=release_each_step,
        permutations=permutations,
        utility="negative_loss",
        replicates=2,
        weights=lambda count: semivalue_weights(semivalue, count),
    )
    with quiet():
        trainer = Trainer().build(callbacks, max_epochs=1)
        trainer.fit(module, train_dataloaders=Batches([torch.arange(1, len(rounds) + 1)]))
    return module


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("semivalue", ["shapley", "banzhaf"])
def test_contributions_are_exact_semivalues_of_each_round(steps: int, semivalue: str) -> None:
    rounds = [[0, 1, 2], [0, 2], [], [1]]
    record = RecordValues(MarginalSums(3, 2, weights=np.ones(1)))
    module = federated(rounds, steps, 6, [record], semivalue)
    theta, expected = np.zeros(D), np.zeros(3)
    for now in rounds:
        updates = {client: step_sum(theta, PARTIES[client], steps) for client in now}

        def moved(members: Any, now: Any = now, updates: Any = updates, theta: Any = theta) -> NDArray[np.float64]:
            weights = {now[place]: SIZES[now[place]] for place in members}
            total = sum(weights.values())
            return theta - RATE * sum((w / total * updates[c] for c, w in weights.items()), np.zeros(D))

        def game(members: Any, moved: Any = moved) -> float:
            return utility(moved(members))

        if now:
            expected[now] += exact_semivalue(game, len(now), semivalue_weights(semivalue, len(now)))
        theta = moved(range(len(now))) if now else theta
    counts = np.array([2, 2, 2])
    np.testing.assert_allclose(record.marginals.values()[0] * counts, expected, rtol=1e-10)
    np.testing.assert_allclose(module.theta[1].numpy(), theta, rtol=1e-12)
    assert module.utility_evaluations == 2 * (1 + 6 * 3 + 1 + 2 * 2 + 1 + 1)


@pytest.mark.parametrize("room", [1, 8_000_000])
def test_random_orders_share_out_the_whole_gain(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Efficiency: contributions to a round sum to what the round gained, however few orders are drawn."""
    monkeypatch.setattr("assay.learning.modules.federated_rounds.PATH_ROOM", room)
    record = RecordValues(MarginalSums(3, 2, weights=np.ones(1)))
    module = federated([[0, 1, 2]] * 5, 1, 4, [record])
    gain = utility(module.theta[0].numpy()) - utility(np.zeros(D))
    np.testing.assert_allclose(record.marginals.values().sum(axis=1) * 5, gain, rtol=1e-10)


class Count(RoundCallback):
    """Notes which release of which client it was handed."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def on_row_gradient(self, module: Any, gradient: Any, rows: Any, number: int) -> Any:
        self.seen.append((int(rows[0]), number))
        return gradient


@pytest.mark.parametrize(("each_step", "expected"), [(True, [1, 2, 3, 4]), (False, [1, 2])])
def test_releases_of_a_client_are_numbered_from_one(each_step: bool, expected: list[int]) -> None:
    count = Count()
    federated([[0, 1], [2], [0]], 2, 2, [count], release_each_step=each_step)
    assert [number for client, number in count.seen if client == 0] == expected
    assert [number for client, number in count.seen if client == 2] == expected[: len(expected) // 2]
