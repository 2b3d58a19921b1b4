"""The pass over permutations against slow definitions written here."""

from __future__ import annotations

from itertools import permutations
from math import factorial

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pytorch_lightning import Callback
from torch import Tensor

from assay.learning.callbacks.clip_row_gradients import ClipRowGradients
from assay.learning.callbacks.record_values import RecordValues
from assay.learning.callbacks.release_gradients import ReleaseGradients
from assay.learning.callbacks.reuse_releases import ReuseReleases
from assay.learning.fitting import Batches, quiet
from assay.learning.marginals import MarginalSums
from assay.learning.models.generalized_linear import GeneralizedLinear
from assay.learning.models.heads import head_for
from assay.learning.models.perceptron import MultilayerPerceptron
from assay.learning.modules.permutation_pass import PermutationPass, Rows
from assay.learning.trainer import Trainer
from assay.privacy.budget import Budget
from assay.privacy.ledger import Ledger, OverspentError
from assay.privacy.relations import Relation, Sensitivity
from assay.privacy.rows.account import RowAccount
from assay.valuation.games import exact_semivalue, walk
from assay.valuation.gradient.release_bootstrap import ReleasedModel
from assay.valuation.semivalues import semivalue_weights

N, D, RATE = 4, 3, 0.2


def rows(count: int, seed: int) -> Rows:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, D, generator=generator, dtype=torch.float64)
    return Rows(x, x[:, 0] + 0.3 * torch.randn(count, generator=generator, dtype=torch.float64))


TRAIN, VALID = rows(N, 1), rows(9, 2)
LINEAR = GeneralizedLinear(D, head_for("regression", 0))
ALL_ORDERS = np.array(list(permutations(range(N))))


def fit(module: PermutationPass, callbacks: list[Callback], rounds: int) -> None:
    with quiet():
        trainer = Trainer().build(callbacks, max_epochs=1)
        trainer.fit(module, train_dataloaders=Batches(torch.split(torch.arange(1, rounds + 1), 3)))


def one_pass(
    orders: NDArray[np.int64], callbacks: list[Callback], rounds: int = 1, start: Tensor | None = None
) -> None:
    """Rounds whose orders are `orders` [rounds, R, n]."""
    start = torch.zeros(LINEAR.parameter_count, dtype=torch.float64) if start is None else start
    module = PermutationPass(
        LINEAR,
        TRAIN,
        VALID,
        start,
        lambda number: orders[number - 1],
        learning_rate=RATE,
        utility="negative_loss",
        replicates=orders.shape[1],
    )
    fit(module, callbacks, rounds)


def slow_marginals(order: tuple[int, ...], x: Tensor, y: Tensor, start: Tensor) -> NDArray[np.float64]:
    """One-pass SGD with autograd, a row at a time; marginal contribution of each row, by row."""

    def utility(theta: Tensor) -> float:
        predicted = VALID.features @ theta[:D] + theta[D]
        return -float(((predicted - VALID.target) ** 2).mean())

    theta, marginals = start.clone(), np.zeros(len(order))
    for row in order:
        before = utility(theta)
        leaf = theta.clone().requires_grad_()
        loss = 0.5 * (x[row] @ leaf[:D] + leaf[D] - y[row]) ** 2
        (gradient,) = torch.autograd.grad(loss, leaf)
        theta = theta - RATE * gradient
        marginals[row] = utility(theta) - before
    return marginals


def test_without_privacy_and_with_all_permutations_it_is_the_definition() -> None:
    record = RecordValues(MarginalSums(N, len(ALL_ORDERS)))
    one_pass(ALL_ORDERS[None], [record])
    start = torch.zeros(D + 1, dtype=torch.float64)
    definition = [slow_marginals(tuple(order), TRAIN.features, TRAIN.target, start) for order in ALL_ORDERS]
    np.testing.assert_allclose(record.marginals.values(), definition, rtol=0, atol=1e-10)
    np.testing.assert_allclose(record.marginals.values().mean(axis=0), np.mean(definition, axis=0), rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("name", "alpha", "beta"), [("shapley", 1, 1), ("banzhaf", 1, 1), ("beta", 4, 1), ("beta", 1, 2)]
)
def test_semivalues_by_the_same_machinery_equal_enumeration(name: str, alpha: float, beta: float) -> None:
    """With gradients that do not depend on theta, training on S is a function of the set S: a game."""
    gradients = torch.randn(N, D + 1, generator=torch.Generator().manual_seed(3), dtype=torch.float64)

    def game(coalition: list[int] | tuple[int, ...]) -> float:
        theta = -RATE * gradients[list(coalition)].sum(0)
        predicted = VALID.features @ theta[:D] + theta[D]
        return -float(((predicted - VALID.target) ** 2).mean())

    weights = semivalue_weights(name, N, alpha, beta)
    record = RecordValues(MarginalSums(N, factorial(N), weights=weights))
    module = PermutationPass(
        ReleasedModel(LINEAR),
        Rows(gradients, torch.zeros(N, dtype=torch.float64)),
        VALID,
        torch.zeros(D + 1, dtype=torch.float64),
        lambda number: ALL_ORDERS,
        learning_rate=RATE,
        utility="negative_loss",
        replicates=factorial(N),
    )
    fit(module, [record], 1)
    exact = exact_semivalue(game, N, weights)
    np.testing.assert_allclose(record.marginals.values().mean(axis=0), exact, rtol=0, atol=1e-10)
    assert not np.allclose(exact, exact_semivalue(game, N, semivalue_weights("beta", N, 16, 1)))


def test_walking_a_game_equals_enumeration() -> None:
    worth = np.random.default_rng(0).normal(size=16)

    def game(coalition: list[int] | tuple[int, ...]) -> float:
        return float(worth[sum(1 << player for player in coalition)])

    sums = MarginalSums(N)
    for number, order in enumerate(ALL_ORDERS, start=1):
        sums.add(number, order[None], walk(game, order)[None])
    np.testing.assert_allclose(sums.values()[0], exact_semivalue(game, N, np.ones(N)), atol=1e-12)
    assert sums.values()[0].sum() == pytest.approx(worth[15] - worth[0])


class KnownNoise:
    """Noise that the test knows: round t, step i, replicate r."""

    kind = "seeded"

    def __init__(self, noise: Tensor) -> None:
        self.noise = noise

    def open_round(self, round_number: int):  # type: ignore[no-untyped-def]
        steps = iter(self.noise[round_number - 1])
        return lambda shape: next(steps)


@pytest.mark.parametrize("reuse", [False, True], ids=["iid", "running mean"])
def test_private_values_equal_the_algorithm_written_out(reuse: bool) -> None:
    """Section 5 of the reconstruction with known noise, burn-in of 2 rounds, clipping at 0.5."""
    rounds, burn_in, norm, budget = 5, 2, 0.5, Budget(3.0, 1e-5)
    clip = ClipRowGradients(norm)
    sigma = budget.noise_multiplier(rounds, clip.sensitivity)
    order_list = np.random.default_rng(4).permuted(np.tile(np.arange(N), (rounds, 2, 1)), axis=2)
    noise = torch.randn(rounds, N, 2, D + 1, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    record = RecordValues(MarginalSums(N, 2, burn_in))
    release = ReleaseGradients(KnownNoise(noise), sigma, Ledger(RowAccount(budget, clip.sensitivity, N, 2)))
    one_pass(order_list, [clip, release, *([ReuseReleases(N)] if reuse else []), record], rounds)

    for r in range(2):
        sums, expected = torch.zeros(N, D + 1, dtype=torch.float64), np.zeros(N)
        for t in range(1, rounds + 1):
            theta = torch.zeros(D + 1, dtype=torch.float64)

            def utility(theta: Tensor) -> float:
                return -float(((VALID.features @ theta[:D] + theta[D] - VALID.target) ** 2).mean())

            for step, row in enumerate(order_list[t - 1, r]):
                x = torch.cat([TRAIN.features[row], torch.ones(1, dtype=torch.float64)])
                gradient = (x @ theta - TRAIN.target[row]) * x
                clipped = gradient / max(1.0, float(gradient.norm()) / norm)
                released = clipped + norm * sigma * noise[t - 1, step, r]
                sums[row] += released
                before = utility(theta)
                theta = theta - RATE * (sums[row] / t if reuse else released)
                if t > burn_in:
                    expected[row] += (utility(theta) - before) / (rounds - burn_in)
        np.testing.assert_allclose(record.marginals.values()[r], expected, rtol=1e-10)
    assert (release.ledger.account.touches == rounds).all()
    assert release.ledger.epsilon() == pytest.approx(3.0, rel=1e-6)


def test_the_round_too_many_is_refused() -> None:
    clip, budget = ClipRowGradients(1.0), Budget(3.0, 1e-5)
    noise = KnownNoise(torch.zeros(3, N, 1, D + 1, dtype=torch.float64))
    sigma = budget.noise_multiplier(2, clip.sensitivity)
    release = ReleaseGradients(noise, sigma, Ledger(RowAccount(budget, clip.sensitivity, N)))
    with pytest.raises(OverspentError):
        one_pass(np.tile(np.arange(N), (3, 1, 1)), [clip, release], rounds=3)
    assert release.ledger.account.touches.max() == 2


@pytest.mark.parametrize(
    "mistake", ["no clipping", "clipping after", "another norm", "another relation", "changed since"]
)
def test_releases_that_are_not_clipped_as_accounted_are_refused(mistake: str) -> None:
    ledger = Ledger(RowAccount(Budget(3.0, 1e-5), Sensitivity(1.0, Relation.ZERO_OUT), N))
    release = ReleaseGradients(KnownNoise(torch.zeros(1, N, 1, D + 1)), 1.0, ledger)
    callbacks: dict[str, list[Callback]] = {
        "no clipping": [release],
        "clipping after": [release, ClipRowGradients(1.0)],
        "another norm": [ClipRowGradients(2.0), release],
        "another relation": [ClipRowGradients(1.0, Relation.REPLACE_ONE), release],
        "changed since": [ClipRowGradients(1.0), ReuseReleases(N), release],
    }
    with pytest.raises(ValueError, match="put a ClipRowGradients with the same norm"):
        one_pass(np.arange(N)[None, None], callbacks[mistake])
    assert ledger.account.touches.sum() == 0


def test_replicates_equal_runs_of_their_own() -> None:
    orders = np.random.default_rng(8).permuted(np.tile(np.arange(N), (6, 3, 1)), axis=2)
    together = RecordValues(MarginalSums(N, 3))
    one_pass(orders, [together], rounds=6)
    for r in range(3):
        alone = RecordValues(MarginalSums(N))
        one_pass(orders[:, r : r + 1], [alone], rounds=6)
        np.testing.assert_allclose(alone.marginals.values()[0], together.marginals.values()[r], rtol=1e-12)


def test_long_paths_in_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, parts = RecordValues(MarginalSums(N, 2)), RecordValues(MarginalSums(N, 2))
    orders = np.random.default_rng(8).permuted(np.tile(np.arange(N), (2, 2, 1)), axis=2)
    one_pass(orders, [whole], rounds=2)
    monkeypatch.setattr("assay.learning.modules.permutation_pass.PATH_ROOM", 1)
    one_pass(orders, [parts], rounds=2)
    np.testing.assert_allclose(parts.marginals.values(), whole.marginals.values(), rtol=1e-12)


def test_an_mlp_on_classes_walks_too() -> None:
    model = MultilayerPerceptron(D, [4], head_for("classification", 3))
    generator = torch.Generator().manual_seed(0)
    classes = Rows(TRAIN.features, torch.tensor([0.0, 1.0, 2.0, 1.0], dtype=torch.float64))
    valid = Rows(VALID.features, torch.arange(9).remainder(3).double())
    record = RecordValues(MarginalSums(N, 2))
    start = model.initial("random", generator)
    orders = np.array([[0, 1, 2, 3], [3, 1, 0, 2]])
    module = PermutationPass(
        model, classes, valid, start, lambda number: orders, learning_rate=0.1, utility="accuracy", replicates=2
    )
    fit(module, [record], 1)
    values = record.marginals.values()
    assert np.isin(np.round(values * 9, 6), np.arange(-9, 10)).all()  # accuracies on nine rows move in ninths
    assert module.utility_evaluations == 2 * (N + 1)
