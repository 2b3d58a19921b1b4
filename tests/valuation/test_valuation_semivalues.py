"""Weights of semivalues against their definitions, exact games, and permutations."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from assay.errors import InputError
from assay.runs.streams import Streams
from assay.valuation.games import exact_semivalue
from assay.valuation.permutations import random_orders
from assay.valuation.semivalues import semivalue_weights


@given(st.integers(1, 300), st.sampled_from(["shapley", "banzhaf", "beta"]), st.floats(0.3, 20), st.floats(0.3, 20))
def test_weights_sum_to_the_number_of_rows(rows: int, name: str, alpha: float, beta: float) -> None:
    weights = semivalue_weights(name, rows, alpha, beta)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(rows, rel=1e-8)


def test_weights_equal_their_formulas() -> None:
    n, a, b = 12, 4.0, 1.5
    s = np.arange(1, n + 1)
    choices = np.array([comb(n - 1, size - 1) for size in s])
    assert semivalue_weights("banzhaf", n) == pytest.approx(n * choices / 2 ** (n - 1))
    expected = n * choices * special.beta(s + b - 1, n - s + a) / special.beta(a, b)
    assert semivalue_weights("beta", n, a, b) == pytest.approx(expected)
    assert semivalue_weights("beta", n, 1.0, 1.0) == pytest.approx(np.ones(n))


def test_beta_16_1_stresses_small_coalitions() -> None:
    weights = semivalue_weights("beta", 50, alpha=16, beta=1)
    assert (np.diff(weights) < 0).all()


def test_large_tables_do_not_overflow() -> None:
    for name in ("banzhaf", "beta"):
        assert np.isfinite(semivalue_weights(name, 50_000, 4, 1)).all()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [(("shaply", 5), "valuation.semivalue=shaply"), (("beta", 5, 0.0, 1.0), "valuation.alpha=0.0: must be > 0")],
)
def test_impossible_weights_are_refused(arguments: tuple, line: str) -> None:
    with pytest.raises(InputError, match=line):
        semivalue_weights(*arguments)


def test_exact_values_of_known_games() -> None:
    """Glove game (1 left, 2 right): Shapley 2/3, 1/6, 1/6. Majority of three: 1/3 each. Additive: the stakes."""
    glove = exact_semivalue(lambda s: float(0 in s and (1 in s or 2 in s)), 3, np.ones(3))
    assert glove == pytest.approx([2 / 3, 1 / 6, 1 / 6])
    majority = exact_semivalue(lambda s: float(len(s) >= 2), 3, np.ones(3))
    assert majority == pytest.approx([1 / 3] * 3)
    stakes = np.array([3.0, -1.0, 0.5, 2.0])
    for name in ("shapley", "banzhaf"):
        assert exact_semivalue(lambda s: float(stakes[list(s)].sum()), 4, semivalue_weights(name, 4)) == pytest.approx(
            stakes
        )


def test_banzhaf_of_a_voting_game() -> None:
    """Votes 4, 2, 1 with quota 4 and veto: raw Banzhaf powers are (swings / 2^(n-1))."""
    values = exact_semivalue(lambda s: float(sum((4, 2, 1)[p] for p in s) >= 5), 3, semivalue_weights("banzhaf", 3))
    assert values == pytest.approx([3 / 4, 1 / 4, 1 / 4])


def test_enumeration_has_a_limit() -> None:
    with pytest.raises(ValueError, match="players=21"):
        exact_semivalue(lambda s: 0.0, 21, np.ones(21))


def test_orders_are_permutations_named_by_round() -> None:
    orders = random_orders(Streams(0), 30, 4, "values")
    assert (np.sort(orders(1), axis=1) == np.arange(30)).all()
    assert (orders(1) == random_orders(Streams(0), 30, 4, "values")(1)).all()
    assert (orders(1) != orders(2)).any()
    assert (orders(1) != random_orders(Streams(0), 30, 4, "reference")(1)).any()
    assert (orders(1) != random_orders(Streams(1), 30, 4, "values")(1)).any()
    assert (orders(1)[:2] == random_orders(Streams(0), 30, 2, "values")(1)).all()


def test_every_order_is_equally_likely() -> None:
    """Chi-square over the 6 orders of 3 rows, 3,000 draws, false-alarm rate 1e-6."""
    from scipy import stats

    draws = random_orders(Streams(3), 3, 3_000, "uniform")(1)
    counts = np.unique(draws, axis=0, return_counts=True)[1]
    assert len(counts) == 6
    assert stats.chisquare(counts).pvalue > 1e-6
