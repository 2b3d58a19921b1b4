"""Audits of a training in one run: bounds on epsilon from guesses, and the law of the scores of canaries."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from assay.statistics import Interval

Vector = NDArray[np.float64]
Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]

MOST_CANARIES = 1 << 20
_SHARES = np.geomspace(0.002, 0.5, 24)  # of the canaries, guessed on either side
_WIDE = 9.0  # deviations beyond which a binomial count is left out


def guesses_p_value(canaries: int, guesses: int, right: int, epsilon: float, delta: float) -> float:
    """Chance bound that an (epsilon, delta)-DP training lets `right` of `guesses` be right, of `canaries` fair coins.

    Source: Steinke, Nasr & Jagielski, arXiv 2305.08846, theorem 5.2 (appendix D): with q = e^eps / (1 + e^eps) and
    W ~ Bin(guesses, q), P[W >= v] + 2 m delta max_i P[v - i <= W < v] / i.
    """
    from scipy import stats

    if not 0 <= right <= guesses <= canaries:
        raise ValueError(f"right={right}, guesses={guesses}, canaries={canaries}: must not fall in this order")
    chance = 1 / (1 + math.exp(-epsilon))
    beta = float(stats.binom.sf(right - 1, guesses, chance))
    if delta == 0 or right == 0:
        return min(1.0, beta)
    below = np.cumsum(stats.binom.pmf(np.arange(right - 1, -1, -1), guesses, chance))
    alpha = float((below / np.arange(1, right + 1)).max())
    return min(1.0, beta + 2 * canaries * delta * alpha)


def guesses_bound(canaries: int, guesses: int, right: int, delta: float, level: float = 0.95) -> float:
    """The largest epsilon that so many right guesses refute at `level`: the training is no (epsilon, delta)-DP; 0 for none."""
    low, high = 0.0, 1.0
    if guesses_p_value(canaries, guesses, right, low, delta) >= 1 - level:
        return 0.0
    while guesses_p_value(canaries, guesses, right, high, delta) < 1 - level:
        high *= 2
    for _ in range(40):
        middle = (low + high) / 2
        refuted = guesses_p_value(canaries, guesses, right, middle, delta) < 1 - level
        low, high = (middle, high) if refuted else (low, middle)
    return low


def guessed(share: float, canaries: int) -> int:
    """The number of guesses on either side that a share of the canaries comes to: 1 or more, half of them at most."""
    return min(max(1, round(share * canaries)), canaries // 2)


def count_right(scores: Vector, inside: Flags, each: int) -> int:
    """Right guesses of the attacker who calls the `each` highest scores taken in and the `each` lowest left out."""
    order = np.argsort(scores, kind="stable")
    return int((~inside[order[:each]]).sum() + inside[order[len(order) - each :]].sum())


@dataclass(frozen=True)
class CanaryLaw:
    """The law of a canary's score: the sum over `steps` of the noised sums' parts along its direction, in clipping norms.

    A canary that is left out scores N(0, steps sigma^2), sigma being the noise multiplier. One that is taken in adds 1 in
    each step in which it is drawn, a Binomial(steps, sample_rate) number of times. Nothing with the same account does more.
    """

    steps: int
    sample_rate: float
    noise_multiplier: float

    @property
    def effect(self) -> float:
        """Distance of the two means, in deviations of the noise."""
        return self.sample_rate * math.sqrt(self.steps) / self.noise_multiplier

    @property
    def spread(self) -> float:
        """Deviation of canaries taken in, over that of those left out."""
        return math.sqrt(1 + self.sample_rate * (1 - self.sample_rate) / self.noise_multiplier**2)

    @property
    def halved(self) -> CanaryLaw:
        """The same training with half the noise."""
        return replace(self, noise_multiplier=self.noise_multiplier / 2)

    def draw(self, inside: Flags, generator: np.random.Generator) -> Vector:
        """Independent scores."""
        noise = self.noise_multiplier * math.sqrt(self.steps) * generator.standard_normal(len(inside))
        return np.asarray(noise + inside * generator.binomial(self.steps, self.sample_rate, len(inside)))

    def accuracy(self, share: float) -> float:
        """Chance that a guess is right, for the `share` of all scores that is highest and the `share` that is lowest."""
        high = float(np.interp(-share, -self._mixed[1], self._mixed[0]))
        low = float(np.interp(1 - share, self._mixed[1][::-1], self._mixed[0][::-1]))
        inside, outside = self._tail(np.asarray([high, low]))
        right = (inside[0] / (inside[0] + outside[0]) + (1 - outside[1]) / (2 - inside[1] - outside[1])) / 2
        return float(right)

    def best_share(self, canaries: int, delta: float) -> float:
        """The share guessed on either side that is expected to prove the most, before any score is seen."""

        def bound(share: float) -> float:
            each = guessed(share, canaries)
            return guesses_bound(canaries, 2 * each, math.floor(2 * each * self.accuracy(share)), delta)

        return float(max(_SHARES, key=bound))

    def canaries_needed(self, epsilon: float, delta: float, level: float = 0.95) -> int | None:
        """Canaries from which on guesses are expected to refute `epsilon`, a power of two; None above a million."""
        accuracies = [(share, self.accuracy(share)) for share in _SHARES]
        canaries = 64
        while canaries <= MOST_CANARIES:
            for share, accuracy in accuracies:
                each = guessed(share, canaries)
                right = math.floor(2 * each * accuracy)
                if guesses_p_value(canaries, 2 * each, right, epsilon, delta) < 1 - level:
                    return canaries
            canaries *= 2
        return None

    @cached_property
    def _mixed(self) -> tuple[Vector, Vector]:
        """Thresholds, ascending, and the chance that a canary of a fair coin scores above."""
        deviation = self.noise_multiplier * math.sqrt(self.steps)
        counts = self._counts[0]
        thresholds = np.linspace(-_WIDE * deviation, counts[-1] + _WIDE * deviation, 4001)
        inside, outside = self._tail(thresholds)
        return thresholds, (inside + outside) / 2

    @cached_property
    def _counts(self) -> tuple[Vector, Vector]:
        """Numbers of steps in which a canary is drawn, and their chances."""
        from scipy import stats

        mean = self.steps * self.sample_rate
        room = _WIDE * math.sqrt(mean * (1 - self.sample_rate)) + _WIDE
        counts = np.arange(max(0, math.floor(mean - room)), min(self.steps, math.ceil(mean + room)) + 1)
        chances = stats.binom.pmf(counts, self.steps, self.sample_rate)
        return counts.astype(np.float64), chances / chances.sum()

    def _tail(self, thresholds: Vector) -> tuple[Vector, Vector]:
        """Chances of a score above each threshold: taken in, left out."""
        from scipy import special

        deviation = self.noise_multiplier * math.sqrt(self.steps)
        counts, chances = self._counts
        inside = special.ndtr((counts[:, None] - thresholds) / deviation)
        return np.asarray(chances @ inside), np.asarray(special.ndtr(-thresholds / deviation))


@dataclass(frozen=True)
class Measured:
    """One quantity of the scores: its measured value with a one-sided bound each way, and the value that the account promises.

    `refuted`: the whole interval lies on the side that an honest account rules out.
    """

    quantity: str
    interval: Interval
    promised: float
    refuted: bool


def measure_scores(scores: Vector, inside: Flags, law: CanaryLaw, level: float = 0.999) -> list[Measured]:
    """Effect, noise and spread of canaries' scores against the law of the account.

    effect: distance of the means in deviations of those left out; must not exceed the promise. noise: noise multiplier
    measured on canaries left out; must not fall short. spread: deviation of those taken in over that of those left out;
    more says that draws of one canary hang together over steps. Intervals hold jointly at `level`, with that of
    `measure_draws`, so that the sides which refute err in (1 - level) / 2 of honest runs at most. ValueError for fewer than
    10 canaries on a side.
    """
    from scipy import stats

    taken, left = scores[inside], scores[~inside]
    if min(len(taken), len(left)) < 10:
        raise ValueError("the law of scores needs 10 canaries or more on each side")
    tail = _tail_of(level)
    z = float(stats.norm.isf(tail))
    deviations = float(taken.std(ddof=1)), float(left.std(ddof=1))
    freedom = len(taken) - 1, len(left) - 1
    effect = float(taken.mean() - left.mean()) / deviations[1]
    ratio = deviations[0] / deviations[1]
    error = math.sqrt(ratio**2 / len(taken) + 1 / len(left) + effect**2 / (2 * freedom[1]))
    noise = deviations[1] / math.sqrt(law.steps)
    low, high = (noise * math.sqrt(freedom[1] / stats.chi2.isf(side, freedom[1])) for side in (tail, 1 - tail))
    spread = [ratio / math.sqrt(stats.f.isf(side, *freedom)) for side in (tail, 1 - tail)]
    least = law.noise_multiplier
    return [
        Measured(
            "effect",
            Interval(effect, effect - z * error, effect + z * error),
            law.effect,
            effect - z * error > law.effect,
        ),
        Measured("noise", Interval(noise, low, high), least, high < least),
        Measured("spread", Interval(ratio, *spread), law.spread, spread[0] > law.spread),
    ]


def measure_draws(counts: Integers, law: CanaryLaw, level: float = 0.999) -> Measured:
    """Root mean square distance of the rows' numbers of draws [rows] from steps * rate, in deviations of independent coins.

    1 is promised; more says that rows are drawn too often, or that the draws of a row hang together over steps, where
    amplification counts on fresh coins in each. Interval as in `measure_scores`. Rows that take part in every step, as at
    rate 1, are at distance 0 if they do.
    """
    from scipy import stats

    variance = law.steps * law.sample_rate * (1 - law.sample_rate)
    squares = (counts - law.steps * law.sample_rate) ** 2
    if variance == 0:
        distance = float(np.sqrt(squares.mean()))
        return Measured("draws", Interval(distance, distance, distance), 0.0, distance > 0)
    ratio = float(squares.mean()) / variance
    spread = math.sqrt((2 + (1 - 6 * law.sample_rate * (1 - law.sample_rate)) / variance) / len(counts))
    z = float(stats.norm.isf(_tail_of(level)))
    low, high = (math.sqrt(ratio / (1 + side * z * spread)) for side in (1, -min(1.0, 0.99 / (z * spread))))
    return Measured("draws", Interval(math.sqrt(ratio), low, high), 1.0, low > 1)


def _tail_of(level: float) -> float:
    """Error of one side of each of four intervals that hold jointly."""
    return (1 - level) / 2 / 4
