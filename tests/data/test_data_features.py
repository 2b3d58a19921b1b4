"""Encoding and the affine map, against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from assay.data.dataset import build_dataset
from assay.data.encoding.features import encode, fit_map, hashed_counts, pixel_channels, vocabularies
from assay.data.provenance import Provenance
from assay.errors import InputError

HERE = Provenance("local path", "test", "0")


def small_dataset():  # type: ignore[no-untyped-def]
    return build_dataset(
        {"size": np.array([1.0, 2.0, 4.0]), "city": ["Oslo", "Bern", "Rome"], "pet": ["cat", "dog", "cat"]},
        np.array([0, 1, 0]),
        kind="classification",
        classes=["a", "b"],
        types={"city": "categorical", "pet": "categorical"},
        categories={"pet": ["cat", "dog", "fish"]},
        provenance=HERE,
    )


def test_categories_are_declared_or_learnt_from_the_public_rows_alone() -> None:
    dataset = small_dataset()
    categories = vocabularies(dataset, np.array([0, 1]))
    assert categories == {"city": ("Bern", "Oslo"), "pet": ("cat", "dog", "fish")}
    matrix, names = encode(dataset, np.array([0, 1, 2]), categories, 8)
    assert names == ["size", "city=Bern", "city=Oslo", "pet=cat", "pet=dog", "pet=fish"]
    # Rome is in no public row, so its indicators are all zero.
    assert matrix.tolist() == [[1, 0, 1, 1, 0, 0], [2, 1, 0, 0, 1, 0], [4, 0, 0, 1, 0, 0]]


def test_images_are_flattened_to_the_unit_interval() -> None:
    images = np.arange(2 * 2 * 2 * 3, dtype=np.uint8).reshape(2, 2, 2, 3) * 10
    dataset = build_dataset(
        {"image": images}, np.array([0, 1]), kind="classification", types={"image": "image"}, provenance=HERE
    )
    matrix, names = encode(dataset, np.array([1, 0]), {}, 8)
    assert_allclose(matrix, images[[1, 0]].reshape(2, 12) / 255)
    assert names[:4] == ["image[0,0,0]", "image[0,0,1]", "image[0,0,2]", "image[0,1,0]"]
    assert pixel_channels(dataset).tolist() == [0, 1, 2] * 4  # type: ignore[union-attr]
    assert dataset.modality == "image"


def test_text_is_counted_and_neither_order_nor_other_rows_matter() -> None:
    counts = hashed_counts(["good good film", "film bad", "FILM good Good"], 64)
    assert counts.shape == (3, 64)
    assert counts.sum(axis=1).tolist() == [3, 2, 3]
    assert (counts[0] == counts[2]).all()
    assert counts[0].max() == 2
    assert (hashed_counts(["film bad"], 64)[0] == counts[1]).all()


def test_no_bucket_is_an_error() -> None:
    with pytest.raises(InputError, match=r"^dataset.preprocess.buckets=0: must be >= 1"):
        hashed_counts(["a"], 0)


@given(st.integers(3, 30), st.integers(1, 6), st.integers(0, 999))
def test_standardised_public_rows_have_mean_zero_and_deviation_one(rows: int, width: int, seed: int) -> None:
    public = np.random.default_rng(seed).standard_normal((rows, width)) * 7 + 3
    mapped = fit_map(public, True, None)(public)
    assert_allclose(mapped.mean(axis=0), 0, atol=1e-12)
    assert_allclose(mapped.std(axis=0), 1)


def test_the_map_is_fixed_by_the_public_rows() -> None:
    generator = np.random.default_rng(0)
    public, private = generator.standard_normal((20, 4)), generator.standard_normal((5, 4))
    mapping = fit_map(public, True, 2)
    together = mapping(np.vstack([private, private * 100]))
    assert_allclose(together[:5], mapping(private))


def test_components_match_the_eigenvectors_of_the_covariance() -> None:
    generator = np.random.default_rng(4)
    public = (
        generator.standard_normal((200, 3))
        @ np.diag([5.0, 2.0, 0.5])
        @ np.linalg.qr(generator.standard_normal((3, 3)))[0]
    )
    mapped = fit_map(public, False, 3)(public)
    covariance = np.cov(mapped.T, ddof=0)
    expected = np.sort(np.linalg.eigvalsh(np.cov(public.T, ddof=0)))[::-1]
    assert_allclose(covariance, np.diag(expected), atol=1e-10)
    _, _, rows = np.linalg.svd(public - public.mean(axis=0), full_matrices=False)
    assert_allclose(np.abs(mapped), np.abs((public - public.mean(axis=0)) @ rows.T), atol=1e-9)


def test_the_sign_of_a_component_is_that_of_its_largest_loading() -> None:
    public = np.random.default_rng(2).standard_normal((50, 4)) * [4, 3, 2, 1]
    directions = fit_map(public, False, 4).directions
    assert directions is not None
    assert (directions[np.abs(directions).argmax(axis=0), np.arange(4)] > 0).all()


def test_constant_public_columns_are_left_unscaled() -> None:
    public = np.array([[1.0, 5.0], [3.0, 5.0]])
    assert fit_map(public, True, None)(np.array([[2.0, 7.0]])).tolist() == [[0.0, 2.0]]


def test_pixels_of_a_channel_share_mean_and_scale() -> None:
    public = np.array([[0.0, 10.0, 1.0, 30.0], [2.0, 20.0, 3.0, 40.0]])
    mapped = fit_map(public, True, None, None, np.array([0, 1, 0, 1]))(public)
    first, second = public[:, [0, 2]], public[:, [1, 3]]
    assert_allclose(mapped[:, [0, 2]], (first - first.mean()) / first.std())
    assert_allclose(mapped[:, [1, 3]], (second - second.mean()) / second.std())


@pytest.mark.parametrize("components", [None, 2])
def test_norm_is_the_root_mean_square_length_of_public_rows(components: int | None) -> None:
    public = np.random.default_rng(5).standard_normal((40, 6)) * 9
    mapped = fit_map(public, True, components, 1.5)(public)
    assert_allclose((mapped**2).sum(axis=1).mean() ** 0.5, 1.5)
    free = fit_map(public, True, components)(public)
    assert_allclose(mapped / free, np.full_like(free, mapped[0, 0] / free[0, 0]))


@pytest.mark.parametrize(("rows", "components"), [(10, 0), (10, 5), (3, 3)])
def test_impossible_numbers_of_components_are_named(rows: int, components: int) -> None:
    with pytest.raises(InputError, match=rf"^dataset.preprocess.components={components}: must be in 1\.\."):
        fit_map(np.random.default_rng(0).standard_normal((rows, 4)), True, components)


def test_a_norm_of_zero_is_named() -> None:
    with pytest.raises(InputError, match=r"^dataset.preprocess.norm=0: must be > 0"):
        fit_map(np.eye(3), True, None, 0)
