"""Noise: repeats by its round under a seed, never under the operating system's entropy; both are standard normal."""

from __future__ import annotations

import pytest
import torch
from scipy import stats

from assay.privacy.noise.sources import NoiseSource, SecureNoise, SeededNoise


def seeded(seed: int = 0) -> SeededNoise:
    return SeededNoise(lambda number: 1000 * seed + number, torch.float64)


def test_a_round_repeats_whatever_was_drawn_before() -> None:
    first, second = seeded(), seeded()
    second.open_round(1)((50,))
    assert torch.equal(first.open_round(2)((3, 4)), second.open_round(2)((3, 4)))


def test_rounds_and_seeds_differ() -> None:
    draws = [seeded(0).open_round(1)((8,)), seeded(0).open_round(2)((8,)), seeded(1).open_round(1)((8,))]
    assert not torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    seeded().open_round(3)((100,))
    SecureNoise(torch.float64).open_round(3)((100,))
    assert torch.equal(torch.get_rng_state(), before)


def test_secure_noise_never_repeats() -> None:
    source = SecureNoise(torch.float64)
    assert not torch.equal(source.open_round(1)((16,)), source.open_round(1)((16,)))


@pytest.mark.parametrize("source", [seeded(), SecureNoise(torch.float64)], ids=["seeded", "secure"])
def test_noise_is_standard_normal(source: NoiseSource) -> None:
    """Kolmogorov-Smirnov on 20,000 draws at a false-alarm rate of 1e-6: half-scale noise fails by far."""
    draws = source.open_round(1)((20_000,)).numpy()
    assert stats.kstest(draws, "norm").pvalue > 1e-6
    assert stats.kstest(draws / 2, "norm").pvalue < 1e-6


def test_dtype_is_that_of_the_source() -> None:
    assert SecureNoise(torch.float32).open_round(1)((2, 3)).dtype == torch.float32
    assert SeededNoise(lambda number: number, torch.float32).open_round(1)((2, 3)).dtype == torch.float32


@pytest.mark.parametrize("byte", [b"\x00", b"\xff"])
def test_the_extremes_of_the_entropy_source_give_finite_noise(byte: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.urandom", lambda count: byte * count)
    extreme = SecureNoise(torch.float64).open_round(1)((3,))
    assert torch.isfinite(extreme).all()
    assert extreme.abs().min() > 8
