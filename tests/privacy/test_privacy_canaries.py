"""One-run audits: the bound of right guesses, and the law of scores, against a second derivation and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from assay.privacy.canaries import (
    CanaryLaw,
    count_right,
    guessed,
    guesses_bound,
    guesses_p_value,
    measure_draws,
    measure_scores,
)

LAWS = [CanaryLaw(100, 0.1, 2.0), CanaryLaw(60, 0.2, 0.8), CanaryLaw(400, 0.02, 0.7)]


def appendix_d(canaries: int, guesses: int, right: int, epsilon: float, delta: float) -> float:
    """The listing of arXiv 2305.08846, appendix D, line by line."""
    q = 1 / (1 + math.exp(-epsilon))
    beta = stats.binom.sf(right - 1, guesses, q)
    alpha = summed = 0.0
    for i in range(1, right + 1):
        summed += stats.binom.pmf(right - i, guesses, q)
        if summed > i * alpha:
            alpha = summed / i
    return float(min(beta + alpha * delta * 2 * canaries, 1))


@pytest.mark.parametrize(
    "case",
    [(1000, 100, 80, 1.0, 1e-5), (1000, 200, 150, 2.0, 1e-4), (100, 100, 100, 4.0, 0.0), (50, 10, 0, 1.0, 1e-5)],
)
def test_the_p_value_is_that_of_the_paper(case: tuple[int, int, int, float, float]) -> None:
    assert guesses_p_value(*case) == pytest.approx(appendix_d(*case), abs=1e-12)


def test_all_right_is_the_most_that_can_be_proven() -> None:
    """Without delta, q^m = .05 at epsilon = log(p / (1 - p)) with p = .05^(1/m)."""
    chance = 0.05 ** (1 / 100)
    assert guesses_bound(100, 100, 100, 0.0) == pytest.approx(math.log(chance / (1 - chance)), abs=1e-6)
    assert guesses_bound(100, 100, 50, 0.0) == 0.0
    assert guesses_bound(100, 100, 100, 1e-4) < guesses_bound(100, 100, 100, 0.0)


@pytest.mark.parametrize("epsilon", [0.5, 2.0])
def test_randomised_response_is_proven_and_not_overstated(epsilon: float) -> None:
    """A 95 % bound may be passed in 5 % of audits; more than 19 of 200 would happen in 1 % of test suites."""
    chance = 1 / (1 + math.exp(-epsilon))
    generator = np.random.default_rng(0)
    rights = generator.binomial(1000, chance, 200)
    bounds = np.array([guesses_bound(1000, 1000, int(right), 0.0) for right in rights])
    assert (bounds > epsilon).sum() <= 19
    assert np.median(bounds) > epsilon - 0.25


@pytest.mark.parametrize("law", LAWS)
def test_scores_follow_the_law_of_steps_written_out(law: CanaryLaw) -> None:
    """Step by step: noise in every one, and 1 where a coin lets the canary take part."""
    generator = np.random.default_rng(1)
    count = 20_000
    taken = np.zeros(count)
    left = np.zeros(count)
    for _ in range(law.steps):
        taken += (generator.random(count) < law.sample_rate) + law.noise_multiplier * generator.standard_normal(count)
        left += law.noise_multiplier * generator.standard_normal(count)
    assert (taken.mean() - left.mean()) / left.std() == pytest.approx(law.effect, abs=4 * 1.5 / count**0.5)
    assert taken.std() / left.std() == pytest.approx(law.spread, rel=4 / count**0.5)
    inside = np.arange(2 * count) < count
    scores = np.concatenate([taken, left])
    drawn = law.draw(inside, generator)
    assert stats.ks_2samp(drawn[inside], taken).pvalue > 1e-4
    assert stats.ks_2samp(drawn[~inside], left).pvalue > 1e-4
    for share in (0.02, 0.3):
        each = round(share * len(scores))
        error = 4 * 0.5 / (2 * each) ** 0.5
        assert count_right(scores, inside, each) / (2 * each) == pytest.approx(law.accuracy(share), abs=error)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("canaries", [60, 500])
def test_an_honest_training_is_refuted_once_in_two_thousand_audits(law: CanaryLaw, canaries: int) -> None:
    """At 0.05 % more than 3 of 600 would happen in 0.03 % of test suites; at 99 %, 0.5 %, more than 9 in 0.2 %."""
    generator = np.random.default_rng(2)
    refuted = {0.999: 0, 0.99: 0}
    for _ in range(600):
        inside = generator.random(canaries) < 0.5
        scores = law.draw(inside, generator)
        for level in refuted:
            refuted[level] += any(each.refuted for each in measure_scores(scores, inside, law, level))
    assert refuted[0.999] <= 3
    assert refuted[0.99] <= 9


@pytest.mark.parametrize("law", LAWS)
def test_less_noise_than_promised_is_refuted(law: CanaryLaw) -> None:
    generator = np.random.default_rng(3)
    for _ in range(20):
        inside = generator.random(500) < 0.5
        measured = {each.quantity: each for each in measure_scores(law.halved.draw(inside, generator), inside, law)}
        assert measured["noise"].refuted
        assert measured["effect"].refuted
        assert measured["effect"].interval.low < 2 * law.effect < measured["effect"].interval.high


def test_a_canary_that_all_steps_or_none_draw_is_refuted_by_its_spread() -> None:
    law, generator = CanaryLaw(60, 0.2, 0.8), np.random.default_rng(4)
    inside = generator.random(1000) < 0.5
    together = inside * 60.0 * (generator.random(1000) < 0.2)
    scores = together + 0.8 * 60**0.5 * generator.standard_normal(1000)
    measured = {each.quantity: each.refuted for each in measure_scores(scores, inside, law)}
    assert measured == {"effect": False, "noise": False, "spread": True}


def test_draws_are_those_of_fresh_coins_or_refuted() -> None:
    """At 99.9 %, jointly, an honest sampler is refuted in 0.013 % of audits: more than 2 of 400 would be a broken test."""
    generator, refuted = np.random.default_rng(6), 0
    for law in LAWS:
        coins = [generator.random((law.steps, 300)) < law.sample_rate for _ in range(400)]
        refuted += sum(measure_draws(each.sum(0), law).refuted for each in coins)
        honest = coins[0]
        mixed = np.concatenate([honest, honest]).sum(0)  # each batch twice
        assert measure_draws(honest[:1].repeat(law.steps, 0).sum(0), law).refuted
        assert measure_draws(mixed, CanaryLaw(2 * law.steps, law.sample_rate, 1.0)).refuted
        assert measure_draws(2 * honest.sum(0), law).refuted
        assert measure_draws(honest.sum(0), law).interval.low < 1 < measure_draws(honest.sum(0), law).interval.high
    assert refuted <= 2
    every = CanaryLaw(30, 1.0, 1.0)
    assert not measure_draws(np.full(50, 30), every).refuted
    assert measure_draws(np.full(50, 31), every).refuted


def test_canaries_needed_are_enough_and_half_of_them_are_not() -> None:
    law, epsilon, delta = CanaryLaw(60, 0.16, 3.12), 2.0, 1e-5  # noise of epsilon 2
    needed = law.halved.canaries_needed(epsilon, delta)
    assert needed is not None
    generator = np.random.default_rng(5)

    def refuted(canaries: int) -> float:
        each = round(law.halved.best_share(canaries, delta) * canaries)
        times = 0
        for _ in range(40):
            inside = generator.random(canaries) < 0.5
            right = count_right(law.halved.draw(inside, generator), inside, each)
            times += guesses_p_value(canaries, 2 * each, right, epsilon, delta) < 0.05
        return times / 40

    assert refuted(4 * needed) > 0.6
    assert refuted(needed // 8) < 0.3
    assert CanaryLaw(60, 0.16, 50.0).canaries_needed(2.0, delta) is None


@pytest.mark.parametrize("canaries", [40, 41, 539])
def test_no_canary_is_guessed_twice(canaries: int) -> None:
    for share in (1e-4, 0.3, 0.5):
        each = guessed(share, canaries)
        assert 2 <= 2 * each <= canaries
    law = CanaryLaw(60, 0.16, 50.0)  # so much noise that every canary is guessed
    assert guesses_p_value(canaries, 2 * guessed(law.best_share(canaries, 1e-5), canaries), 0, 1.0, 1e-5) == 1.0


def test_few_canaries_have_no_law() -> None:
    with pytest.raises(ValueError, match="10 canaries"):
        measure_scores(np.zeros(30), np.arange(30) < 5, LAWS[0])
