"""Two-level means: unbiased, with standard errors that are right, from solvers whose answers are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from assay.errors import InputError
from assay.valuation.contributions.samples import Contributions, cardinality_means
from assay.valuation.contributions.solver import Solved
from assay.valuation.contributions.two_level import default_share, two_level_means

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Known:
    """Contribution of each of 3 points to a subset: a number that the subset holds, times `slope`, plus `bias`."""

    slope: float
    bias: float
    fallbacks: int = 0

    def shared(self, subsets: Sequence[Integers]) -> Solved:
        noise = np.array([each[0] for each in subsets]) / 1000.0
        delta = np.outer([1.0, -2.0, 0.5], noise) * self.slope + self.bias
        return Solved(delta, noise, 4 * len(subsets), self.fallbacks)

    def fresh(self, subsets: Sequence[Integers], points: Integers) -> Solved:
        raise NotImplementedError


def standard_normal(generator: np.random.Generator, count: int) -> list[Integers]:
    return [np.array([round(1000 * value)]) for value in generator.normal(size=count)]


@pytest.mark.parametrize("slope", [0.8, 1.6])
def test_unbiased_with_the_variance_it_states(slope: float) -> None:
    """4,000 repetitions of 40 subsets, 8 exact: mean 0 within 4 standard errors (false alarm 2e-4 over 3 points), variance
    within 4 of its own relative errors of .022; the cheap mean alone is off by a hundred of them."""
    generator = np.random.default_rng(7)
    cheap, exact, means, variances = Known(slope, 0.3), Known(1.0, 0.0), [], []
    for _ in range(4000):
        estimate = two_level_means(cheap, exact, {5: standard_normal(generator, 40)}, generator, lambda _: 0.2)
        means.append(estimate.mean[:, 0])
        variances.append(estimate.std_error[:, 0] ** 2)
    spread, size = np.var(means, axis=0, ddof=1), np.array([1.0, 4.0, 0.25])
    theory = size * (1 / 40 + (1 - slope) ** 2 * (1 / 8 - 1 / 40))
    assert (np.abs(np.mean(means, axis=0)) < 4 * np.sqrt(theory / 4000)).all()
    assert (np.abs(spread / theory - 1) < 4 * 0.0224).all()
    assert (np.abs(np.mean(variances, axis=0) / theory - 1) < 0.06).all()  # an estimate from 8, clipped at nought
    assert (estimate.mean[:, 0] != 0.3).all()


def test_adding_the_two_variances_as_if_independent_would_be_wrong() -> None:
    """The parts share subsets: with a cheap solver of slope 1.6 the sum of separate variances is half as large again."""
    separate = 1.6**2 / 40 + 0.6**2 / 8
    right = 1 / 40 + 0.6**2 * (1 / 8 - 1 / 40)
    assert separate / right > 1.5


def test_counts_and_the_share_of_each_cardinality() -> None:
    generator = np.random.default_rng(0)
    given = {size: standard_normal(generator, 40) for size in (100, 500)}
    means = two_level_means(Known(1.0, 0.0, 1), Known(1.0, 0.0, 7), given, generator)
    assert [default_share(100), default_share(500)] == [0.25, 0.1]
    assert means.fits == 4 * (40 + 40 + 10 + 4)
    assert means.fallbacks == 16
    assert means.samples == 40
    np.testing.assert_array_equal(means.cardinalities, [100, 500])


def test_all_exact_is_the_plain_mean() -> None:
    generator = np.random.default_rng(0)
    given = {5: standard_normal(generator, 30)}
    means = two_level_means(Known(0.0, 9.0), Known(1.0, 0.0), given, generator, lambda _: 1.0)
    delta = Known(1.0, 0.0).shared(given[5]).delta
    ones = np.ones(delta.shape)
    plain = cardinality_means(Contributions(np.full(delta.shape, 5), delta, ones, True))
    np.testing.assert_allclose(means.mean, plain.mean)
    np.testing.assert_allclose(means.std_error, plain.std_error)


def test_what_cannot_be_averaged_is_refused() -> None:
    generator = np.random.default_rng(0)
    solver = Known(1.0, 0.0)
    with pytest.raises(ValueError, match="the same number of subsets"):
        two_level_means(solver, solver, {5: standard_normal(generator, 1)}, generator)
    with pytest.raises(InputError, match=r"valuation.exact_share=0.0: must be above 0"):
        two_level_means(solver, solver, {5: standard_normal(generator, 4)}, generator, lambda _: 0.0)
