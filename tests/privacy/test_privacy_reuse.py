"""The reuse matrices, burn-in and the ceilings of detection."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from tests.mechanisms import privacy_of

from assay.errors import InputError
from assay.privacy.ceilings import detection_ceiling
from assay.privacy.relations import Relation
from assay.privacy.rows.reuse import ReuseMatrix, burn_in_rounds


@given(st.integers(1, 40))
def test_running_mean_rows_sum_to_one_and_have_the_least_variance(rounds: int) -> None:
    weights = ReuseMatrix.weighted(np.ones(rounds)).weights
    assert weights.sum(axis=1) == pytest.approx(np.ones(rounds))
    assert (weights**2).sum(axis=1) == pytest.approx(1 / np.arange(1, rounds + 1))
    # any other row-stochastic lower-triangular row has a larger square sum
    other = np.tril(np.random.default_rng(rounds).random((rounds, rounds)))
    other /= other.sum(axis=1, keepdims=True)
    assert ((other**2).sum(axis=1) >= (weights**2).sum(axis=1) - 1e-12).all()


def test_noise_of_the_mean_follows_the_closed_forms() -> None:
    """Linear utility: 1 for independent noise, (1/k) sum (2t-1)/t for the running mean, times 1/k (section 4)."""
    k = 100
    t = np.arange(1, k + 1)
    assert ReuseMatrix.identity(k).mean_noise_variance() == pytest.approx(1 / k)
    running = ReuseMatrix.weighted(np.ones(k))
    assert running.mean_noise_variance() == pytest.approx(((2 * t - 1) / t).sum() / k / k)
    q, zeta = 30, 0.3
    limit = 2 / (1 - zeta) ** 2 * ((1 - zeta) - zeta * np.log(1 / zeta))
    assert running.mean_noise_variance(q) * k == pytest.approx(limit, rel=0.02)


@pytest.mark.parametrize(
    ("burn_in", "evaluations", "rounds"),
    [(0, 10, 0), (0.3, 10, 3), (0.3, 160, 48), (0.9, 10, 9), (4, 10, 4), (0.5, 5, 2)],
)
def test_burn_in_is_a_share_below_one_and_a_count_from_one_on(burn_in: float, evaluations: int, rounds: int) -> None:
    assert burn_in_rounds(burn_in, evaluations) == rounds


@pytest.mark.parametrize("burn_in", [10, 11, -0.1, -3])
def test_a_burn_in_that_leaves_nothing_is_refused(burn_in: float) -> None:
    with pytest.raises(InputError, match=r"privacy.burn_in=.*below valuation.evaluations=10"):
        burn_in_rounds(burn_in, 10)


def test_only_the_mechanism_with_burn_in_leaves_rounds_out() -> None:
    assert privacy_of("running_mean").burn_in_rounds(10) == 0
    assert privacy_of("running_mean_burn_in", burn_in=0.5).burn_in_rounds(10) == 5


@pytest.mark.parametrize(
    ("mu", "relation", "ceiling"),
    [
        (0.2681, Relation.REPLACE_ONE, 0.575),
        (0.2681, Relation.ZERO_OUT, 0.648),
        (1.666, Relation.REPLACE_ONE, 0.881),
        (1.666, Relation.ZERO_OUT, 0.991),
    ],
)
def test_detection_ceilings(mu: float, relation: Relation, ceiling: float) -> None:
    assert detection_ceiling(mu, relation) == pytest.approx(ceiling, abs=6e-4)


def test_the_ceiling_is_reached_by_the_best_attack() -> None:
    """AUC of two unit normals 2 mu apart, by simulation (standard error 0.002)."""
    mu = 0.4
    noise = np.random.default_rng(1).standard_normal((2, 30_000))
    u, _ = stats.mannwhitneyu(noise[0] + 2 * mu, noise[1])
    assert u / 30_000**2 == pytest.approx(detection_ceiling(mu, Relation.ZERO_OUT), abs=0.008)
