"""Matrices that say how releases are combined: their constructors, their noise, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.mechanisms import privacy_of

from assay.errors import InputError
from assay.privacy.rows.reuse import ReuseMatrix


@given(st.integers(1, 30), st.integers(1, 9), st.integers(0, 99))
def test_weighted_rows_by_their_definition(rounds: int, wave: int, seed: int) -> None:
    weights = np.random.default_rng(seed).uniform(0.1, 2, rounds)
    result = ReuseMatrix.weighted(weights, wave).weights
    for t in range(rounds):
        known = [*range(t // wave * wave), t]
        expected = np.zeros(rounds)
        expected[known] = weights[known] / weights[known].sum()
        np.testing.assert_allclose(result[t], expected, atol=1e-14)


def test_equal_weights_one_by_one_are_the_running_mean() -> None:
    mean = np.tril(np.ones((9, 9))) / np.arange(1, 10)[:, None]
    np.testing.assert_allclose(ReuseMatrix.weighted(np.ones(9)).weights, mean, atol=1e-15)
    np.testing.assert_allclose(privacy_of("running_mean").reuse_matrix(9).weights, mean, atol=1e-15)
    assert (privacy_of("iid").reuse_matrix(9).weights == np.eye(9)).all()


def test_inverse_variances_have_the_least_noise() -> None:
    """1 over the sum of inverse variances, and no other row-stochastic row below it."""
    multipliers = privacy_of("front_loaded", first_share=0.6).noise_multipliers(12)
    best = ReuseMatrix.weighted(multipliers**-2.0).row_noise_variance(multipliers)
    np.testing.assert_allclose(best, 1 / np.cumsum(multipliers**-2.0))
    equal = ReuseMatrix.weighted(np.ones(12)).row_noise_variance(multipliers)
    assert (best[1:] < equal[1:]).all()


@pytest.mark.parametrize("wave", [1, 3, 4])
def test_row_noise_is_that_of_the_product_with_noise(wave: int) -> None:
    """X Z for known Z, variance over 40,000 draws: 5 standard errors."""
    multipliers = privacy_of("front_loaded").noise_multipliers(8)
    matrix = ReuseMatrix.weighted(multipliers**-2.0, wave)
    noise = np.random.default_rng(0).standard_normal((8, 40_000)) * multipliers[:, None]
    seen = (matrix.weights @ noise).var(axis=1)
    np.testing.assert_allclose(seen, matrix.row_noise_variance(multipliers), rtol=5 * (2 / 40_000) ** 0.5)


def test_in_waves_the_noise_falls_with_the_earlier_waves() -> None:
    result = ReuseMatrix.weighted(np.ones(7), 3).row_noise_variance()
    assert result.tolist() == pytest.approx([1, 1, 1, 1 / 4, 1 / 4, 1 / 4, 1 / 7])


FAULTS = {
    "not square": (np.full((3, 2), 0.5), "must be 3 x 3, one row for each evaluation"),
    "too small": (np.eye(2), "must be 3 x 3"),
    "not finite": (np.array([[1, 0, 0], [np.nan, 1, 0], [0, 0, 1]]), "row 2 holds a number that is not finite"),
    "ahead of time": (np.array([[1, 0, 0], [0.5, 0.4, 0.1], [0, 0, 1]]), "row 2 uses a release that is not yet made"),
    "a sum": (np.array([[1, 0, 0], [0.5, 0.5, 0], [0.3, 0.3, 0.3]]), "row 3 sums to 0.9 and not to 1"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("suffix", [".csv", ".npy"])
def test_a_file_that_cannot_be_carried_out_is_refused_by_its_row(tmp_path: Path, fault: str, suffix: str) -> None:
    weights, line = FAULTS[fault]
    with pytest.raises(InputError, match=rf"privacy.matrix=.*{line}.*valuation.evaluations=3"):
        ReuseMatrix.read(written(tmp_path, weights, suffix), 3)


def test_a_matrix_within_a_wave_is_refused() -> None:
    mean = ReuseMatrix.weighted(np.ones(4)).weights
    with pytest.raises(InputError, match=r"row 2 uses another release of its own wave.*valuation.wave=2"):
        ReuseMatrix.checked(mean, 4, wave=2)
    blocks = ReuseMatrix.weighted(np.ones(4), 2).weights
    assert ReuseMatrix.checked(blocks, 4, wave=2).weights is blocks


@pytest.mark.parametrize("suffix", [".csv", ".npy"])
def test_a_file_is_read_as_written(tmp_path: Path, suffix: str) -> None:
    mean = ReuseMatrix.weighted(np.ones(5)).weights
    path = written(tmp_path, mean, suffix)
    assert (ReuseMatrix.read(path, 5).weights == mean).all()
    assert (privacy_of("lower_triangular", matrix=str(path)).reuse_matrix(5).weights == mean).all()


@pytest.mark.parametrize(("name", "text"), [("a.csv", "1,x\n"), ("a.npy", "no array"), ("none.csv", None)])
def test_a_file_without_a_matrix_is_refused(tmp_path: Path, name: str, text: str | None) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"holds no matrix .*give a .csv of numbers or a .npy file"):
        ReuseMatrix.read(path, 2)


def written(folder: Path, weights: np.ndarray, suffix: str) -> Path:
    path = folder / f"weights{suffix}"
    if suffix == ".npy":
        np.save(path, weights)
    else:
        np.savetxt(path, weights, delimiter=",", fmt="%.17g")
    return path
