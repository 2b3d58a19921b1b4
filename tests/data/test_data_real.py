"""Counts of the real archives, where they are cached (ASSAY_DATA or the user's cache); skipped one by one elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from assay.data.dataset import PARTITION, SOURCE, TARGET, Dataset
from assay.data.sources.catalogue import catalogue
from assay.data.sources.providers import named_dataset
from assay.data.sources.store import find_archive

DATA = Path(os.environ.get("ASSAY_DATA") or Path.home() / ".cache/assay")

# Rows, feature columns and rows of each class, as the publishers of the data give them.
COUNTS: dict[str, tuple[int, int, list[int]]] = {
    "mnist": (10000, 1, [1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978]),
    "fashion_mnist": (70000, 1, [7000] * 10),
    "photo_patches": (17974, 1, []),
    "optdigits": (5620, 1, [554, 571, 557, 572, 568, 558, 558, 566, 554, 562]),
    "adult": (48842, 14, [32561 + 16281 - 7841 - 3846, 7841 + 3846]),
    "wine_quality_red": (1599, 11, [10, 53, 681, 638, 199, 18]),
    "pima": (768, 8, [500, 268]),
    "magic": (19020, 10, [12332, 6688]),
    "letter": (20000, 16, []),
    "spambase": (4597, 57, []),
    "credit_default": (30000, 32, [30000 - 6636, 6636]),
    "shuttle": (58000, 9, [10, 13, 3267, 50, 171, 8903, 45586]),
    "rotten_tomatoes": (12808, 1, [5405, 7403]),
    "sentiment": (23320, 1, []),
}
KNOWN = catalogue()
TEST_ROWS = {"fashion_mnist": 10000, "adult": 16281, "photo_patches": 3520}


def real(name: str) -> Dataset:
    if not any(find_archive(archive, DATA) for archive in KNOWN[name].source.archives):
        pytest.skip(f"no archive of {name} (assay data fetch {name})")
    return named_dataset(name, KNOWN[name].source, None, False, DATA)


@pytest.mark.parametrize("name", COUNTS)
def test_counts(name: str) -> None:
    rows, width, classes = COUNTS[name]
    dataset = real(name)
    counts = np.bincount(dataset.numbers(TARGET), minlength=len(dataset.classes)).tolist()
    if name == "mnist" and len(dataset) == 5000:
        rows, classes = 5000, [500] * 10
    assert (len(dataset), len(dataset.columns)) == (rows, width)
    assert not classes or counts == classes
    assert min(counts) > 0
    assert dataset.has(PARTITION) == (name in TEST_ROWS)
    if name in TEST_ROWS:
        assert dataset.numbers(PARTITION).sum() == TEST_ROWS[name]
    assert dataset.provenance.provider == "archive"


def test_fashion_mnist_moments() -> None:
    dataset = real("fashion_mnist")
    train = np.flatnonzero(dataset.numbers(PARTITION) == 0)
    pixels = dataset.take("image", train).flatten().to_numpy(zero_copy_only=False) / 255
    assert pixels.mean() == pytest.approx(0.2860, abs=5e-5)
    assert pixels.std() == pytest.approx(0.3530, abs=5e-5)
    assert dataset.numbers(TARGET)[:4].tolist() == [9, 0, 0, 3]


def test_adult_missing_values_and_declared_categories() -> None:
    dataset = real("adult")
    missing = np.zeros(len(dataset), dtype=bool)
    for column in dataset.columns:
        if column.type == "categorical":
            values = dataset.take(column.name).to_pylist()
            assert column.categories is not None
            assert set(values) <= set(column.categories)
            missing |= np.array([value == "?" for value in values])
    partition = dataset.numbers(PARTITION)
    assert [int(missing[partition == part].sum()) for part in (0, 1)] == [2399, 1221]


def test_sentiment_domains() -> None:
    dataset = real("sentiment")
    assert np.bincount(dataset.numbers(SOURCE)).tolist() == [10568, 4196, 4946, 3610]
    assert len(real("sentiment_tweets")) == 4196


def test_digits_is_a_part_of_optdigits() -> None:
    from assay.data.loaders.bundled import digits

    def rows(dataset: Dataset) -> set[bytes]:
        pixels = dataset.take("image").flatten().to_numpy(zero_copy_only=False).reshape(len(dataset), 64)
        return {row.tobytes() for row in pixels}

    assert rows(digits()) <= rows(real("optdigits"))
