"""Pairs of permutations, one the reverse of the other, and the standard errors that go with them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.mechanisms import privacy_of

from assay.data import PreparedData
from assay.learning.marginals import MarginalSums
from assay.learning.models.auto import Auto
from assay.learning.trainer import Trainer
from assay.runs.streams import Streams
from assay.valuation.games import exact_semivalue, walk
from assay.valuation.gradient.semivalue import GradientSemivalue
from assay.valuation.permutations import antithetic_orders, random_orders
from assay.valuation.semivalues import semivalue_weights
from assay.valuation.valuator import Problem, Run

N = 5
Coalition = list[int] | tuple[int, ...]
WORTH = np.array([0.4, -1.0, 2.0, 0.7, 1.3])


def quadratic(coalition: Coalition) -> float:
    """A marginal contribution is affine in the worth of those before, so that a pair of reverse orders has its mean."""
    return float(WORTH[list(coalition)].sum() ** 2)


def saturating(coalition: Coalition) -> float:
    return float(np.tanh(WORTH[list(coalition)].sum()))


def estimates(game: Callable[[Coalition], float], antithetic: bool, rounds: int, seeds: int) -> list[MarginalSums]:
    replicates = []
    for seed in range(seeds):
        orders = random_orders(Streams(seed), N, 1)
        orders = antithetic_orders(orders) if antithetic else orders
        sums = MarginalSums(N, group=2 if antithetic else 1)
        for number in range(1, rounds + 1):
            sums.add(number, orders(number), walk(game, orders(number)[0])[None])
        replicates.append(sums)
    return replicates


def test_every_second_order_is_the_one_before_from_its_end() -> None:
    plain = random_orders(Streams(3), 6, 2)
    paired = antithetic_orders(plain)
    assert (paired(5) == plain(5)).all()
    assert (paired(6) == plain(5)[:, ::-1]).all()
    assert not (paired(6) == plain(6)).all()


@pytest.mark.parametrize("game", [quadratic, saturating])
@pytest.mark.parametrize(("name", "alpha"), [("shapley", 1), ("banzhaf", 1), ("beta", 16)])
def test_over_all_pairs_it_is_the_enumeration(game: Callable[[Coalition], float], name: str, alpha: float) -> None:
    weights, orders = semivalue_weights(name, N, alpha), np.array(list(permutations(range(N))))
    paired = antithetic_orders(lambda number: orders)
    sums = MarginalSums(N, len(orders), weights=weights, group=2)
    for number in (1, 2):
        marginals = np.stack([walk(game, order) for order in paired(number)])
        sums.add(number, paired(number), marginals)
    np.testing.assert_allclose(sums.values().mean(axis=0), exact_semivalue(game, N, weights), atol=1e-12)


def test_one_pair_is_enough_for_a_quadratic_game() -> None:
    for sums in estimates(quadratic, antithetic=True, rounds=2, seeds=5):
        np.testing.assert_allclose(sums.values()[0], exact_semivalue(quadratic, N, np.ones(N)), atol=1e-12)


def test_pairs_are_unbiased_have_less_variance_and_say_so() -> None:
    """400 estimates of a saturating game from 20 rounds each, at 4 standard errors."""
    exact = exact_semivalue(saturating, N, np.ones(N))
    spread = {}
    for antithetic in (True, False):
        replicates = estimates(saturating, antithetic, rounds=20, seeds=400)
        values = np.array([sums.values()[0] for sums in replicates])
        spread[antithetic] = values.var(axis=0, ddof=1)
        assert (np.abs(values.mean(axis=0) - exact) < 4 * (spread[antithetic] / 400) ** 0.5).all()
        stated_variance = np.mean([sums.std_errors()[0] ** 2 for sums in replicates], axis=0)
        np.testing.assert_allclose(stated_variance, spread[antithetic], rtol=4 * (2 / 400 + 2 / 10 / 400) ** 0.5)
    assert (spread[True] < 0.8 * spread[False]).all()


def test_rounds_taken_for_independent_would_overstate_the_errors() -> None:
    """Broken variant: the same pairs, summed up round by round."""
    orders = antithetic_orders(random_orders(Streams(0), N, 1))
    pairs, rounds = MarginalSums(N, group=2), MarginalSums(N)
    for number in range(1, 41):
        for sums in (pairs, rounds):
            sums.add(number, orders(number), walk(saturating, orders(number)[0])[None])
    assert (rounds.values() == pairs.values()).all()
    assert (rounds.std_errors() > 1.2 * pairs.std_errors()).all()


@given(st.integers(2, 12), st.integers(0, 5), st.integers(0, 99))
def test_errors_of_groups_by_their_definition(rounds: int, burn_in: int, seed: int) -> None:
    """Groups cut by the burn-in or by the end count for the rounds that they hold."""
    marginals = np.random.default_rng(seed).normal(size=(rounds, 1, 3))
    order, sums = np.array([[2, 0, 1]]), MarginalSums(3, burn_in=burn_in, group=2)
    saved = MarginalSums(3, burn_in=burn_in, group=2)
    for number in range(1, rounds + 1):
        sums.add(number, order, marginals[number - 1])
        saved.load_state_dict(sums.state_dict())
    used = range(burn_in + 1, rounds + 1)
    groups: dict[int, list[NDArray[np.float64]]] = {}
    for number in used:
        groups.setdefault((number - 1) // 2, []).append(marginals[number - 1, 0])
    assert sums.independent == saved.independent == len(groups)
    if len(groups) > 1:
        mean = np.mean([marginals[number - 1, 0] for number in used], axis=0)
        total = sum((sum(group) - len(group) * mean) ** 2 for group in groups.values())
        expected = np.sqrt(len(groups) / (len(groups) - 1) * total) / len(used)
        np.testing.assert_allclose(sums.std_errors()[0, order[0]], expected, atol=1e-12)
        assert (saved.std_errors() == sums.std_errors()).all()
    else:
        assert np.isnan(sums.std_errors()).all()


@pytest.mark.parametrize("mechanism", ["none", "iid", "running_mean"])
def test_a_valuation_takes_pairs(portion: Callable[..., PreparedData], mechanism: str) -> None:
    """Pairs halve the degrees of freedom; the touches stay; without noise the values of real data scatter less, by little."""
    data, surroundings = portion("diabetes"), Run(Streams(0), Trainer())
    valuator = GradientSemivalue(evaluations=10, permutations="antithetic", bootstrap=4)
    valuation = valuator.valuate(Problem(data, Auto(), privacy_of(mechanism)), surroundings)
    assert valuation.values.freedom == (3 if mechanism == "running_mean" else 4)
    if mechanism != "none":
        assert valuation.ledger[-1]["most_per_row"] == 10
        return
    start, problem = {"evaluations": 4, "learning_rate": 0.05}, Problem(data, Auto(), privacy_of("none"))
    spread = [
        GradientSemivalue(permutations=kind, **start)  # type: ignore[arg-type]
        .replicates(problem, Run(Streams(0), Trainer()), 30)
        .values.var(axis=0, ddof=1)
        .mean()
        for kind in ("plain", "antithetic")
    ]
    assert spread[1] < spread[0]
