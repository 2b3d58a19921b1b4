"""Poisson sampling: the law of its batches, and what an attack finds when it is broken."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from assay.errors import InputError
from assay.privacy.accounting.prv import PrvAccountant
from assay.privacy.accounting.steps import Steps
from assay.privacy.poisson import PoissonSampler
from assay.runs.streams import Streams


def sampler(rows: int = 1000, rate: float = 0.1, seed: int = 0) -> PoissonSampler:
    return PoissonSampler(rows, rate, lambda step: Streams(seed).generator("batches", step))


def test_batches_hold_distinct_rows_in_order() -> None:
    for batch in sampler().batches(0, 50):
        assert (np.diff(batch) > 0).all()
        assert batch.dtype == np.int64
        assert ((batch >= 0) & (batch < 1000)).all()


def test_a_step_draws_the_same_batch_whatever_was_drawn_before() -> None:
    whole = list(sampler().batches(0, 6))
    resumed = list(sampler().batches(4, 6))
    assert all(np.array_equal(a, b) for a, b in zip(whole[4:], resumed, strict=True))
    assert not np.array_equal(whole[0], whole[1])
    assert not np.array_equal(whole[0], sampler(seed=1).batch(0))


def test_batch_sizes_follow_the_binomial_and_some_are_empty() -> None:
    """Chi-square at a false-alarm rate of 1e-6 over 4,000 steps; batches of a fixed size fail by far."""
    sizes = np.array([len(batch) for batch in sampler(rows=20, rate=0.1).batches(0, 4000)])
    law = stats.binom(20, 0.1)
    expected = np.array([*law.pmf(range(6)), law.sf(5)]) * 4000

    def chi_square(sizes: NDArray[np.int64]) -> float:
        counts = np.bincount(np.minimum(sizes, 6), minlength=7)
        return float(stats.chisquare(counts, expected).pvalue)

    assert (sizes == 0).sum() > 400
    assert chi_square(sizes) > 1e-6
    assert chi_square(np.full(4000, 2)) < 1e-6


def test_rows_take_part_independently_of_each_other_and_of_their_past() -> None:
    """Correlations between rows and between steps stay within 5 standard errors (false alarms: 1 in 10,000)."""
    member = np.zeros((3000, 20))
    for step, batch in enumerate(sampler(rows=20, rate=0.3).batches(0, 3000)):
        member[step, batch] = 1
    between_rows = np.corrcoef(member.T)[np.triu_indices(20, 1)]
    between_steps = [np.corrcoef(member[1:, row], member[:-1, row])[0, 1] for row in range(20)]
    assert np.abs([*between_rows, *between_steps]).max() < 5 / 3000**0.5
    assert member.mean() == pytest.approx(0.3, abs=5 * (0.21 / member.size) ** 0.5)


def test_full_participation_takes_every_row() -> None:
    assert np.array_equal(sampler(rate=1.0).batch(3), np.arange(1000))


def test_a_batch_size_is_an_expectation() -> None:
    drawn = PoissonSampler.of_batch_size(60_000, 256, lambda step: np.random.default_rng(step))
    assert drawn.sample_rate == 256 / 60_000
    assert drawn.expected_batch_size == pytest.approx(256)


@pytest.mark.parametrize("batch_size", [0, -1, 11])
def test_impossible_samplers_are_refused(batch_size: int) -> None:
    with pytest.raises(InputError, match=rf"batch_size={batch_size}: must be > 0 and at most the 10 rows"):
        PoissonSampler.of_batch_size(10, batch_size, lambda step: np.random.default_rng(step))
    for rows, rate in [(0, 0.1), (10, 0.0), (10, 1.5)]:
        with pytest.raises(InputError, match="must"):
            PoissonSampler(rows, rate, lambda step: np.random.default_rng(step))


def test_a_loader_that_does_not_load_the_batch_is_caught() -> None:
    drawn = sampler()
    batch = drawn.batch(7)
    drawn.verify(7, batch[::-1].copy())  # the order of rows within a batch is nobody's secret
    with pytest.raises(ValueError, match=r"step 7: a row stands twice"):
        drawn.verify(7, np.append(batch, batch[0]))
    for wrong in (batch[:-1], drawn.batch(8), sampler(rate=0.2).batch(7), batch[:0]):
        with pytest.raises(ValueError, match=r"step 7: the batch has .* load the batches of PoissonSampler.batch"):
            drawn.verify(7, wrong)


TRIALS, NOISE, RATE, STEPS, DELTA = 200_000, 1.0, 0.5, 4, 0.01


def attack(draw: Callable[[int], NDArray[np.int64]], noise: float) -> tuple[float, float]:
    """Delta that the likelihood-ratio attack on STEPS noisy sums reaches at the epsilon accounted for, and its error.

    Each row is a trial of its own: its gradient is 1 and alone in its sum, or is absent. The attack knows the noise.
    """
    line = PrvAccountant().epsilon([Steps(NOISE, RATE, STEPS)], DELTA)
    generator = np.random.default_rng(11)
    evidence = np.zeros((2, TRIALS))
    for step in range(STEPS):
        times = np.bincount(draw(step), minlength=TRIALS)
        for side, signal in enumerate((times, 0)):
            output = signal + noise * generator.standard_normal(TRIALS)
            evidence[side] += np.log1p(RATE * np.expm1((2 * output - 1) / (2 * noise**2)))
    hit, false_alarm = (evidence > line).mean(axis=1)
    error = ((hit + np.exp(2 * line) * max(false_alarm, 1 / TRIALS)) / TRIALS) ** 0.5
    return float(hit - np.exp(line) * false_alarm), float(error)


def poisson(rate: float) -> Callable[[int], NDArray[np.int64]]:
    return sampler(TRIALS, rate, seed=3).batch


def repeating(step: int) -> NDArray[np.int64]:
    """Draws as many rows, with replacement."""
    return np.random.default_rng(step).integers(0, TRIALS, int(RATE * TRIALS))


def test_the_best_attack_on_honest_steps_stays_below_its_account() -> None:
    reached, error = attack(poisson(RATE), NOISE)
    assert reached < DELTA + 4 * error
    assert reached > 0.5 * DELTA  # the account is tight, so that what is broken has no room to hide in


@pytest.mark.parametrize("broken", ["noise at half scale", "a row repeated in a batch", "another sample rate"])
def test_broken_steps_pass_their_account(broken: str) -> None:
    """Each variant gives away more than is accounted for: by 4 standard errors and more."""
    draw, noise = {
        "noise at half scale": (poisson(RATE), NOISE / 2),
        "a row repeated in a batch": (repeating, NOISE),
        "another sample rate": (poisson(2 * RATE), NOISE),
    }[broken]
    reached, error = attack(draw, noise)
    assert reached > DELTA + 4 * error
