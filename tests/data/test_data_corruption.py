"""Corruption: exactly the chosen rows are damaged, and each truly is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.data.corruption import add_noise, chosen_rows, corrupt, flip_labels, permute_targets
from assay.errors import InputError

SEEDS = st.integers(0, 10**6)


@given(st.integers(2, 7), st.integers(1, 60), st.floats(0, 1), SEEDS)
def test_flipped_labels_are_other_classes_on_the_chosen_rows_only(
    classes: int, rows: int, share: float, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, rows)
    chosen = chosen_rows("k", share, rows, generator)
    flipped = flip_labels(labels, classes, chosen, generator)
    assert len(np.unique(chosen)) == round(share * rows)
    assert set(np.flatnonzero(flipped != labels)) == set(chosen)
    assert ((flipped >= 0) & (flipped < classes)).all()


def test_flips_are_uniform_among_the_other_classes() -> None:
    # 30,000 flips of class 1 of 4: each other class has 10,000 in expectation, standard error 82; 5 of them is the
    # bound, a false alarm once in a million.
    rows = np.arange(30_000)
    flipped = flip_labels(np.ones(30_000, dtype=np.int64), 4, rows, np.random.default_rng(3))
    counts = np.bincount(flipped, minlength=4)
    assert counts[1] == 0
    assert (np.abs(counts[[0, 2, 3]] - 10_000) < 5 * (30_000 * (1 / 3) * (2 / 3)) ** 0.5).all()


@given(st.integers(2, 60), SEEDS)
def test_permuted_targets_keep_the_values_and_no_row_keeps_its_own(rows: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    targets = generator.standard_normal(rows + 5)
    chosen = generator.permutation(rows + 5)[:rows]
    permuted = permute_targets(targets, chosen, generator)
    assert sorted(permuted) == sorted(targets)
    assert set(np.flatnonzero(permuted != targets)) == set(chosen)


@given(st.lists(st.integers(0, 6), min_size=2, max_size=40), SEEDS)
def test_rows_that_share_a_value_change_too_where_that_is_possible(values: list[int], seed: int) -> None:
    targets = np.array(values, dtype=np.float64)
    permuted = permute_targets(targets, np.arange(len(targets)), np.random.default_rng(seed))
    assert sorted(permuted) == sorted(targets)
    most = max(values.count(value) for value in values)
    # A value on more than half of the rows must stay somewhere: 2 * most - n rows at least.
    assert (permuted == targets).sum() <= max(0, 2 * most - len(values))


def test_one_row_cannot_be_permuted() -> None:
    with pytest.raises(InputError, match="a permutation needs two rows"):
        permute_targets(np.arange(5.0), np.array([2]), np.random.default_rng(0))


def test_noise_has_the_stated_scale_and_leaves_the_other_rows() -> None:
    generator = np.random.default_rng(1)
    features = generator.standard_normal((20_000, 2)) * [1.0, 50.0]
    rows = np.arange(10_000)
    noised = add_noise(features, rows, 0.5, generator)
    assert (noised[10_000:] == features[10_000:]).all()
    added = (noised - features)[:10_000].std(axis=0) / features.std(axis=0)
    # Standard error of a standard deviation of 10,000 draws is 0.5 / sqrt(20,000) = 0.0035; five of them.
    assert np.abs(added - 0.5).max() < 0.018


def corrupted(labels: float, noise: float, kind: str = "classification", scale: float = 1.0, seed: int = 0):  # type: ignore[no-untyped-def]
    features = np.random.default_rng(9).standard_normal((100, 3))
    target = np.arange(100) % 4 if kind == "classification" else np.arange(100.0)
    generator = np.random.default_rng(seed)
    settings = {"kind": kind, "classes": 4, "labels": labels, "noise": noise, "scale": scale, "generator": generator}
    return features, target, corrupt(features.copy(), target, **settings)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_clean_marks_exactly_the_damaged_rows(kind: str) -> None:
    features, target, (noised, damaged, clean) = corrupted(0.3, 0.2, kind)
    wrong, noisy = damaged != target, (noised != features).any(axis=1)
    assert wrong.sum() == 30
    assert noisy.sum() == 20
    assert (clean == ~(wrong | noisy)).all()


def test_the_two_choices_do_not_move_each_other() -> None:
    _, _, (_, with_both, _) = corrupted(0.3, 0.4)
    _, _, (_, labels_only, _) = corrupted(0.3, 0.0)
    _, _, (noise_only, _, _) = corrupted(0.0, 0.4)
    _, _, (noised, _, _) = corrupted(0.3, 0.4)
    assert (with_both == labels_only).all()
    assert (noised == noise_only).all()


def test_nothing_asked_is_nothing_done() -> None:
    features, target, (noised, damaged, clean) = corrupted(0.0, 0.0)
    assert (noised == features).all()
    assert (damaged == target).all()
    assert clean.all()


def test_noise_of_scale_zero_is_no_corruption() -> None:
    features, _, (noised, _, clean) = corrupted(0.0, 0.5, scale=0.0)
    assert (noised == features).all()
    assert clean.all()


def test_rows_that_cannot_change_stay_clean_and_are_said() -> None:
    target = np.array([0.0] * 9 + [1.0])
    with pytest.warns(UserWarning, match="8 of 10 rows keep their target"):
        _, damaged, clean = corrupt(
            np.zeros((10, 1)),
            target,
            kind="regression",
            classes=0,
            labels=1.0,
            noise=0.0,
            scale=1.0,
            generator=np.random.default_rng(0),
        )
    assert (clean == (damaged == target)).all()
    assert clean.sum() == 8


@pytest.mark.parametrize(
    ("labels", "noise", "scale", "key"),
    [
        (1.5, 0.0, 1.0, "dataset.corruption.labels=1.5: must be in [0, 1]"),
        (0.0, -0.1, 1.0, "dataset.corruption.features=-0.1: must be in [0, 1]"),
        (0.0, 0.5, -1.0, "dataset.corruption.scale=-1.0: must be >= 0"),
    ],
)
def test_impossible_settings_are_named(labels: float, noise: float, scale: float, key: str) -> None:
    with pytest.raises(InputError) as caught:
        corrupted(labels, noise, scale=scale)
    assert str(caught.value).startswith(key)


@given(st.integers(2, 9), st.floats(0, 1), st.floats(0, 1), SEEDS)
def test_bad_sources_hold_all_the_damage(count: int, share: float, labels: float, seed: int) -> None:
    source = np.random.default_rng(seed).integers(0, count, 90)
    target = np.arange(90) % 3
    _, damaged, clean = corrupt(
        np.zeros((90, 1)),
        target,
        kind="classification",
        classes=3,
        labels=labels,
        noise=0.0,
        scale=1.0,
        generator=np.random.default_rng(seed),
        source=source,
        sources=share,
    )
    names, wrong = np.unique(source), damaged != target
    per_source = {name: (int(wrong[source == name].sum()), int((source == name).sum())) for name in names}
    bad = [name for name in names if per_source[name][0]]
    assert len(bad) <= round(share * len(names))
    for name in bad:
        assert per_source[name][0] == round(labels * per_source[name][1])
    if labels > 0.5 and min(size for _, size in per_source.values()) > 1:
        assert len(bad) == round(share * len(names))
    assert (clean == ~wrong).all()
