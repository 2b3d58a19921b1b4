"""Splits: disjoint, of the asked size, stratified, and only as large as the data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.data.split import allocate, part_sizes, split_rows, stratified_parts
from assay.errors import InputError


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8), st.integers(0, 10**6))
def test_allocation_is_a_rounding_of_the_exact_shares(counts: list[int], draw: int) -> None:
    total = sum(counts)
    size = draw % (total + 1)
    shares = allocate(np.array(counts), size)
    exact = np.array(counts) * size / max(total, 1)
    assert shares.sum() == size
    assert (np.abs(shares - exact) < 1).all()
    assert (shares <= np.array(counts)).all()


def test_allocation_by_largest_remainder() -> None:
    # 10 * (5, 3, 2) / 10 is exact; 7 * (5, 3, 2) / 10 = 3.5, 2.1, 1.4: the half is rounded up.
    assert allocate(np.array([5, 3, 2]), 10).tolist() == [5, 3, 2]
    assert allocate(np.array([5, 3, 2]), 7).tolist() == [4, 2, 1]


@given(
    st.lists(st.integers(0, 4), min_size=6, max_size=120),
    st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40)),
    st.integers(0, 1000),
)
def test_parts_are_disjoint_and_stratified(strata: list[int], weights: tuple[int, int, int], seed: int) -> None:
    labels = np.array(strata)
    sizes = [max(1, weight * len(labels) // 120) for weight in weights]
    if sum(sizes) > len(labels):
        return
    parts = stratified_parts(labels, sizes, np.random.default_rng(seed))
    assert [len(part) for part in parts] == sizes
    assert len(np.unique(np.concatenate(parts))) == sum(sizes)
    free = labels
    used = np.zeros(len(labels), dtype=bool)
    for part, size in zip(parts, sizes, strict=True):
        for value in np.unique(labels):
            exact = (free == value).sum() * size / len(free)
            assert abs((labels[part] == value).sum() - exact) < 1
        used[part] = True
        free = labels[~used]


def test_a_split_repeats_itself_and_depends_on_the_generator() -> None:
    labels = np.arange(50) % 2
    first, again, other = (stratified_parts(labels, [20, 10], np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert (first[0] != other[0]).any()


@pytest.mark.parametrize(
    ("split", "rows", "official", "sizes"),
    [
        ({"train": 0.6, "valid": 0.2, "test": 0.2}, 442, 0, [265, 89, 88]),
        ({"train": 100, "valid": 171, "test": 171}, 442, 0, [100, 171, 171]),
        ({"train": 0.5, "valid": 10, "test": 0.25}, 100, 0, [50, 10, 25]),
        # With an official test part: all of it for a share, the other parts in proportion 3 : 1 of the rest.
        ({"train": 0.6, "valid": 0.2, "test": 0.2}, 48842, 16281, [24421, 8140, 16281]),
        ({"train": 1000, "valid": 500, "test": 300}, 48842, 16281, [1000, 500, 300]),
        ({"train": 0.3, "valid": 0.1, "test": 100}, 1100, 100, [300, 100, 100]),
        ({"train": 0.8, "valid": 0.2, "test": 0}, 442, 0, [354, 88, 0]),
        ({"train": 100, "valid": 50, "test": 0}, 442, 0, [100, 50, 0]),
        ({"train": 0.8, "valid": 0.2, "test": 0}, 1100, 100, [800, 200, 0]),
    ],
)
def test_sizes_of_the_parts(split: dict[str, float], rows: int, official: int, sizes: list[int]) -> None:
    assert part_sizes(split, rows, official) == sizes


@given(st.integers(10, 500), st.sampled_from([(0.6, 0.2, 0.2), (0.7, 0.15, 0.15), (1 / 3, 1 / 3, 1 / 3)]))
def test_shares_that_sum_to_one_use_every_row(rows: int, shares: tuple[float, float, float]) -> None:
    assert sum(part_sizes(dict(zip(("train", "valid", "test"), shares, strict=True)), rows)) == rows


@pytest.mark.parametrize(
    ("split", "rows", "official", "words"),
    [
        ({"train": 300, "valid": 100, "test": 100}, 442, 0, "needs 500 rows, the dataset has 442"),
        ({"train": 0.6, "valid": 0.3, "test": 0.2}, 442, 0, "shares sum to 1.1, more than 1"),
        ({"train": 0.6, "valid": 0.2, "test": 0.2}, 2, 0, "gives no row out of 2"),
        ({"train": 0.5, "valid": 0.2, "test": 200}, 1100, 100, "needs 200 rows, the official test part has 100"),
        ({"train": 900, "valid": 200, "test": 0.1}, 1100, 100, "needs 1100 rows, the official train part has 1000"),
        ({"train": 0, "valid": 0.2, "test": 0.2}, 100, 0, "dataset.split.train=0: must be a share"),
        ({"train": 0.2, "valid": 2.5, "test": 0.2}, 100, 0, "dataset.split.valid=2.5: must be a share"),
        ({"train": 0.2, "valid": 0, "test": 0}, 100, 0, "dataset.split.valid=0: must be a share"),
        ({"train": 0.5, "valid": 0.5, "test": 0.001}, 100, 0, "sum to 1.001"),
        ({"train": 0.5, "valid": 0.2, "test": 0.001}, 100, 0, "dataset.split.test=0.001: gives no row"),
        ({"train": 0.2, "valid": 0.2, "test": -1}, 100, 0, "dataset.split.test=-1: must be a share"),
        ({"train": -5, "valid": 2, "test": 0.2}, 100, 0, "dataset.split.train=-5: must be a share"),
    ],
)
def test_impossible_splits_are_named(split: dict[str, float], rows: int, official: int, words: str) -> None:
    with pytest.raises(InputError, match=r"^dataset\.split") as caught:
        part_sizes(split, rows, official)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_test_rows_come_from_the_official_part() -> None:
    partition = np.array([0] * 80 + [1] * 20)
    labels = np.tile([0, 1], 50)
    split = {"train": 0.6, "valid": 0.2, "test": 10}
    train, valid, test = split_rows(labels, partition, split, np.random.default_rng(0))
    assert (len(train), len(valid), len(test)) == (48, 16, 10)
    assert (partition[test] == 1).all()
    assert (partition[np.concatenate([train, valid])] == 0).all()
    assert labels[test].sum() == 5


def test_every_row_of_a_stratum_is_as_likely_as_another() -> None:
    labels = np.repeat([0, 1], 20)
    draws = 400
    chosen = np.zeros(40)
    for seed in range(draws):
        chosen[stratified_parts(labels, [10], np.random.default_rng(seed))[0]] += 1
    # Each row is drawn with probability 1/4: standard error 0.0217 over 400 draws. Five of them: over 40 rows, a
    # false alarm once in 40,000.
    assert np.abs(chosen / draws - 0.25).max() < 5 * (0.25 * 0.75 / draws) ** 0.5
