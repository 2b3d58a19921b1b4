"""Cardinalities and subsets: their distributions, and that they depend on the seed, the purpose and the number alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assay.errors import InputError
from assay.runs import Streams
from assay.valuation.contributions.subsets import Cardinalities, SubsetSampler, proportional


@pytest.mark.parametrize("density", ["uniform", "log_uniform"])
def test_sizes_have_the_density_they_say(density: str) -> None:
    law = Cardinalities(10, 29, density)  # type: ignore[arg-type]
    drawn = law.draw(20_000, np.random.default_rng(0))
    sizes = np.arange(10, 30)
    expected = law.weights(sizes) / law.weights(sizes).sum()
    shares = np.bincount(drawn, minlength=30)[10:] / len(drawn)
    # one from each stratum: every share is within one draw of two strata of what it should be
    assert np.abs(shares - expected).max() <= 2 / len(drawn)


def test_a_mean_with_inverse_densities_is_one_over_uniform_sizes() -> None:
    law = Cardinalities(100, 999, "log_uniform")
    drawn = law.draw(4000, np.random.default_rng(1))
    weights = 1 / law.weights(drawn)
    reweighted = (weights / drawn).sum() / weights.sum()
    assert reweighted == pytest.approx((1 / np.arange(100, 1000)).mean(), rel=2e-3)
    assert (1 / drawn).mean() > 1.5 * reweighted  # without them it is not


def test_the_grid_is_that_of_the_papers_code() -> None:
    grid = Cardinalities(100, 999).grid(10)
    assert grid.tolist() == np.geomspace(100, 1000, 10).astype(int).tolist()
    assert Cardinalities(3, 4).grid(10).tolist() == [3, 4, 5]


def test_sizes_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(InputError, match=r"valuation.smallest=9: must be from 1 to largest=8"):
        Cardinalities(9, 8)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=8), st.integers(0, 10_000), st.integers(0, 5))
@example([1, 1, 1, 997], 4, 0)
def test_classes_keep_their_proportions(sizes: list[int], wanted: int, seed: int) -> None:
    available = np.array(sizes)
    total = min(wanted, int(available.sum()))
    counts = proportional(available, total, np.random.default_rng(seed))
    assert counts.sum() == total
    assert (counts >= 0).all()
    if total >= len(available):
        assert (counts >= 1).all()
    assert (counts <= available).all()
    exact = total * available / available.sum()
    assert (np.abs(counts - exact) < len(available) + 1).all()


def test_subsets_are_without_replacement_and_stratified() -> None:
    labels = np.array([0] * 60 + [1] * 30 + [2] * 10)
    sampler = SubsetSampler(100, labels, Streams(0), "x")
    for number in range(20):
        rows = sampler.subset(number, 50)
        assert len(set(rows.tolist())) == 50
        assert np.bincount(labels[rows]).tolist() == [30, 15, 5]
    with pytest.raises(InputError, match="pool of 100 rows"):
        sampler.subset(0, 101)


def test_a_subset_depends_on_its_number_alone() -> None:
    first, again = (SubsetSampler(50, None, Streams(3), "x") for _ in range(2))
    forward = [first.subset(number, 7).tolist() for number in range(5)]
    backward = [again.subset(number, 7).tolist() for number in reversed(range(5))]
    assert forward == backward[::-1]
    assert SubsetSampler(50, None, Streams(3), "y").subset(0, 7).tolist() != forward[0]
    assert SubsetSampler(50, None, Streams(4), "x").subset(0, 7).tolist() != forward[0]


def test_every_row_is_as_likely_as_the_others() -> None:
    sampler = SubsetSampler(40, np.arange(40) % 4, Streams(0), "x")
    counts = np.zeros(40)
    for number in range(2000):
        counts[sampler.subset(number, 10)] += 1
    # 2000 draws with probability 1/4: 19.4 of standard deviation; 40 rows, false alarm below 1e-4
    assert np.abs(counts - 500).max() < 5 * 19.4
