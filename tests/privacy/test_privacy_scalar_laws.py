"""Scalar laws: unbiased, of the stated variance, and never above their epsilon, against densities written down once more."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from assay.privacy.accounting.gaussian import delta_at, epsilon_of
from assay.privacy.budget import Budget
from assay.privacy.relations import Relation
from assay.privacy.scalar_laws.law import GRID, ScalarLaw
from assay.privacy.scalar_laws.laws import LAWS, law_of
from assay.privacy.scalar_laws.piecewise import PiecewiseLaw
from assay.privacy.scalar_laws.randomized_response import RandomizedResponse

ZERO, REPLACE = Relation.ZERO_OUT, Relation.REPLACE_ONE
PURE = [name for name in LAWS if name != "gaussian"]
INPUTS = (-1.0, -0.4, 0.0, 0.7, 1.0)


def budget(epsilon: float, relation: Relation = ZERO) -> Budget:
    return Budget(epsilon, 1e-5, relation)


def outputs(law: ScalarLaw) -> Tensor:
    if isinstance(law, RandomizedResponse):
        return torch.tensor([-1.0, 1.0], dtype=torch.float64)
    reach = law.reach if isinstance(law, PiecewiseLaw) else 12.0
    return torch.linspace(-reach, reach, 4_001, dtype=torch.float64)


def draws(law: ScalarLaw, x: float, count: int = 200_000, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    normals = [torch.randn(count, generator=generator, dtype=torch.float64) for _ in range(2)]
    return law.release(torch.full((count,), x, dtype=torch.float64), *normals)


@pytest.mark.parametrize("relation", [ZERO, REPLACE])
@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("x", INPUTS)
def test_releases_are_unbiased_and_of_the_stated_variance(name: str, relation: Relation, x: float) -> None:
    """Four standard errors: false alarms below 1 in 10,000 a case."""
    law = law_of(name, budget(1.5, relation))
    result, variance = draws(law, x), float(law.variance(torch.tensor(x, dtype=torch.float64)))
    assert float(result.mean()) == pytest.approx(x, abs=4 * (variance / len(result)) ** 0.5)
    assert float(result.var()) == pytest.approx(variance, rel=0.05)


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 4.0, 8.0])
@pytest.mark.parametrize("name", PURE)
def test_pure_laws_keep_exactly_their_epsilon(name: str, epsilon: float) -> None:
    """Zero-out compares with no record, replace-one with every other input; both are tight."""
    law = law_of(name, budget(epsilon))
    ratios = [(law.log_density(outputs(law), x) - law.log_density(outputs(law), None)).abs().max() for x in INPUTS]
    assert 0.999 * epsilon < float(max(ratios)) <= epsilon
    law = law_of(name, budget(epsilon, REPLACE))
    densities = [law.log_density(outputs(law), x) for x in INPUTS]
    worst = max(float((one - other).abs().max()) for one in densities for other in densities)
    assert 0.999 * epsilon < worst <= epsilon
    assert law.changed_record_epsilon(1e-5) == pytest.approx(epsilon, rel=1e-6)


@pytest.mark.parametrize("name", PURE)
def test_a_law_for_another_relation_would_break_the_budget(name: str) -> None:
    """The broken variant: noise calibrated for zero-out where records may be replaced."""
    law = law_of(name, budget(1.0, ZERO))
    densities = [law.log_density(outputs(law), x) for x in INPUTS]
    worst = max(float((one - other).abs().max()) for one in densities for other in densities)
    assert worst > 1.4
    assert worst == pytest.approx(law.changed_record_epsilon(1e-5), rel=1e-6)
    assert worst <= 2 * (1 + 1e-9)


@pytest.mark.parametrize("relation", [ZERO, REPLACE])
@pytest.mark.parametrize("name", [name for name in LAWS if name != "randomized_response"])
def test_densities_are_those_that_are_drawn_from(name: str, relation: Relation) -> None:
    """Shares of 400,000 draws in 20 cells against the density's integral, within five standard errors."""
    law = law_of(name, budget(1.0, relation))
    result = draws(law, 0.3, 400_000)
    reach = law.reach if isinstance(law, PiecewiseLaw) else 6.0
    edges = torch.linspace(-reach, reach, 21, dtype=torch.float64)
    for low, high in pairwise(edges.tolist()):
        grid = torch.linspace(low, high, 20_001, dtype=torch.float64)
        share = float(torch.trapezoid(law.log_density(grid, 0.3).exp(), grid))
        seen = float(((result >= low) & (result < high)).double().mean())
        assert seen == pytest.approx(share, abs=5 * (share / len(result)) ** 0.5 + 2e-5)


@pytest.mark.parametrize("name", LAWS)
def test_what_is_published_for_no_record_has_the_density_that_the_guarantee_rests_on(name: str) -> None:
    law = law_of(name, budget(1.0))
    generator = torch.Generator().manual_seed(3)
    result = law.absent(*(torch.randn(200_000, generator=generator, dtype=torch.float64) for _ in range(2)))
    grid = outputs(law)
    if isinstance(law, RandomizedResponse):
        assert float((result > 0).double().mean()) == pytest.approx(0.5, abs=0.005)
        return
    density = law.log_density(grid, None).exp()
    second = float(torch.trapezoid(density * grid**2, grid))
    assert float(result.mean()) == pytest.approx(0.0, abs=4 * (second / len(result)) ** 0.5)
    if name != "gaussian":  # whose tails reach beyond the grid
        assert float((result**2).mean()) == pytest.approx(second, rel=0.03)


@pytest.mark.parametrize("relation", [ZERO, REPLACE])
@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("epsilon", [0.3, 1.0, 2.0, 4.0, 8.0])
def test_intervals_cover_95_percent_of_releases_whatever_the_input(
    name: str, relation: Relation, epsilon: float
) -> None:
    """40,000 draws for each input: four standard errors below 95 % are 94.6 %."""
    law = law_of(name, budget(epsilon, relation))
    for x in (*INPUTS, 0.2, 0.9):
        result = draws(law, x, 40_000, seed=5)
        assert float(((result - x).abs() <= law.half_width + 1e-9).double().mean()) > 0.9456


def test_an_enormous_budget_is_no_error() -> None:
    assert float(draws(law_of("piecewise", budget(400.0)), 0.5, 100).mean()) == pytest.approx(0.5, abs=1e-4)


def test_golden_numbers() -> None:
    root = math.e  # the piecewise law at epsilon 1 under zero-out is that of 2 under replace-one
    law = PiecewiseLaw(1.0, ZERO)
    assert law.reach == pytest.approx((root + 1) / (root - 1), rel=1e-8)
    assert float(law.variance(torch.zeros(()))) == pytest.approx((root + 3) / (3 * (root - 1) ** 2), rel=1e-6)
    assert RandomizedResponse(1.0, REPLACE).lean == pytest.approx((math.e - 1) / (2 * (math.e + 1)), rel=1e-8)
    assert RandomizedResponse(1.0, ZERO).lean == pytest.approx((1 - 1 / math.e) / 2, rel=1e-8)
    gaussian = law_of("gaussian", budget(1.0))
    assert float(gaussian.variance(torch.zeros(()))) ** 0.5 == pytest.approx(3.7304, rel=1e-4)
    assert delta_at(1.0, gaussian.cost.mu) <= 1e-5
    assert gaussian.changed_record_epsilon(1e-5) == pytest.approx(epsilon_of(2 * gaussian.cost.mu, 1e-5), rel=1e-6)


@pytest.mark.parametrize("name", [name for name in LAWS if name != "randomized_response"])
def test_outputs_lie_on_a_public_grid(name: str) -> None:
    """Floating-point patterns of x would otherwise show in the last bits of the output."""
    result = draws(law_of(name, budget(2.0)), 0.123456789, 1_000) / GRID
    assert torch.equal(result, result.round())


@given(
    x=st.floats(-1, 1),
    epsilon=st.floats(0.05, 12),
    name=st.sampled_from(PURE),
    relation=st.sampled_from([ZERO, REPLACE]),
)
def test_no_input_breaks_a_pure_law(x: float, epsilon: float, name: str, relation: Relation) -> None:
    law = law_of(name, budget(epsilon, relation))
    other = None if relation is ZERO else -1.0
    gap = law.log_density(outputs(law), x) - law.log_density(outputs(law), other)
    assert float(gap.abs().max()) <= epsilon


def test_what_has_no_meaning_is_refused() -> None:
    with pytest.raises(ValueError, match="use zero_out or replace_one"):
        law_of("laplace", Budget(1.0, 1e-5, Relation.ADD_REMOVE))
    with pytest.raises(ValueError, match="must be one of gaussian, laplace"):
        law_of("cauchy", budget(1.0))


def test_a_plateau_twice_as_wide_would_break_the_budget() -> None:
    """A broken variant of the law itself: the same plateau height over less of a drop elsewhere."""
    law = PiecewiseLaw(1.0, ZERO)
    broken = replace(law, epsilon=1.2)
    gap = broken.log_density(outputs(broken), 1.0) - broken.log_density(outputs(broken), None)
    assert float(gap.abs().max()) > law.epsilon
