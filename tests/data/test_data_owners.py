"""Sources: every row has one, every source has a row, and each way has the skew it promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.data.options import Owners
from assay.data.owners import assign_sources
from assay.errors import InputError


def assigned(labels: np.ndarray, count: int, how: str, alpha: float = 0.5, seed: int = 0) -> np.ndarray:
    settings = Owners(count, how, alpha)  # type: ignore[arg-type]
    return assign_sources(labels, settings, np.random.default_rng(seed))


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=80),
    st.integers(1, 12),
    st.sampled_from(["random", "dirichlet", "label"]),
    st.integers(0, 999),
)
def test_every_row_has_a_source_and_every_source_a_row(labels: list[int], count: int, how: str, seed: int) -> None:
    if count > len(labels):
        return
    source = assigned(np.array(labels), count, how, seed=seed)
    assert set(source) == set(range(count))
    assert len(source) == len(labels)
    if how != "dirichlet":
        sizes = np.bincount(source)
        assert sizes.max() - sizes.min() <= 1


def test_by_label_is_sorted_by_label() -> None:
    labels = np.random.default_rng(0).integers(0, 10, 1000)
    source = assigned(labels, 10, "label")
    for lower in range(9):
        assert labels[source == lower].max() <= labels[source == lower + 1].min()


def test_a_small_alpha_is_skewed_and_a_large_one_even() -> None:
    labels = np.arange(10_000) % 10

    def skew(alpha: float) -> float:
        source = assigned(labels, 10, "dirichlet", alpha)
        table = np.array([[((source == s) & (labels == c)).sum() for c in range(10)] for s in range(10)])
        return float((table.max(axis=0) / 1000).mean())  # largest share of a label that one source holds

    # Dirichlet(1000) gives each of 10 sources 0.1 +- 0.003 of a label; Dirichlet(0.05) nearly all to one or two.
    assert skew(1000.0) < 0.115
    assert skew(0.05) > 0.6


def test_random_does_not_look_at_labels() -> None:
    labels = np.repeat([0, 1], 500)
    source = assigned(labels, 2, "random")
    # Hypergeometric with mean 250 and standard deviation 7.9; five of them.
    assert abs(int(((source == 0) & (labels == 0)).sum()) - 250) < 40


@pytest.mark.parametrize(
    ("count", "how", "alpha", "words"),
    [
        (11, "random", 0.5, "dataset.sources.count=11: must be in 0..10"),
        (2, "labels", 0.5, "dataset.sources.how=labels: unknown"),
        (2, "dirichlet", 0.0, "dataset.sources.alpha=0.0: must be > 0"),
    ],
)
def test_impossible_settings_are_named(count: int, how: str, alpha: float, words: str) -> None:
    with pytest.raises(InputError) as caught:
        assigned(np.zeros(10, dtype=np.int64), count, how, alpha)
    assert str(caught.value).startswith(words)
