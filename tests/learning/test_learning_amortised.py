"""The amortised law's loss against its definition, its schedule, and what surrounds its training."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor, nn

from assay.learning.callbacks.keep_best import KeepBest
from assay.learning.fitting import carry_out_fit
from assay.learning.modules.amortised_law import (
    AmortisedLaw,
    likelihood_losses,
    rate_factor,
    sign_and_size_losses,
    signed_losses,
    without_last_layer,
)
from assay.learning.modules.supervised import Supervised
from assay.learning.shuffled_batches import ShuffledBatches
from assay.learning.trainer import Trainer

LOG_ROOT = 0.5 * math.log(2 * math.pi)


def drawn(seed: int, rows: int = 6, samples: int = 4, outputs: int = 5) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(rows, outputs, generator=generator, dtype=torch.float64)
    values[:, -1] = 0.8 * values[:, -1] + 1.5  # log beta on both sides of its limit
    size = torch.randint(2, 40, (rows, samples), generator=generator).double()
    return values, torch.randn(rows, samples, generator=generator, dtype=torch.float64), size.log()


def slow_loss(row: list[float], delta: list[float], size: list[float]) -> float:
    """Section by section: two likelihoods, the sign's cross-entropy and the penalty."""
    logit, log_c, log_alpha, log_sigma, log_beta = row
    c, alpha, sigma, beta = math.exp(log_c), math.exp(log_alpha), math.exp(log_sigma), math.exp(min(log_beta, 2.0))

    def likelihood(sign: float) -> float:
        each = [
            -stats.norm.logpdf(d, sign * c * k**-alpha, sigma * k ** (-beta / 2))
            for d, k in zip(delta, size, strict=True)
        ]
        return float(np.mean(each)) - LOG_ROOT

    plus, minus = likelihood(1), likelihood(-1)
    probability = 1 / (1 + math.exp(-logit))
    guess = -math.log(probability) if plus < minus else -math.log(1 - probability)
    return min(plus, minus) + guess + 1e-5 * (alpha - 1) ** 2


@given(st.integers(0, 10**6))
def test_the_loss_is_its_definition(seed: int) -> None:
    outputs, delta, log_size = drawn(seed)
    losses = sign_and_size_losses(outputs, delta, log_size)
    slow = [slow_loss(*(each.tolist() for each in row)) for row in zip(outputs, delta, log_size.exp(), strict=True)]
    np.testing.assert_allclose(losses, slow, rtol=1e-9)


def test_scaling_by_the_fixed_deviation_leaves_the_gradient_alone() -> None:
    outputs, delta, log_size = drawn(3)
    outputs = outputs.detach().requires_grad_()

    def plain(row: Tensor) -> Tensor:
        c, alpha, beta = row[:, 1:2].exp(), row[:, 2:3].exp(), row[:, 4:5].clamp(max=2.0).exp()
        deviation = row[:, 3:4].exp() * (-beta / 2 * log_size).exp()
        mean = c * (-alpha * log_size).exp()
        return (-torch.distributions.Normal(mean, deviation).log_prob(delta) - LOG_ROOT).mean()

    (wanted,) = torch.autograd.grad(plain(outputs), outputs)
    (gradient,) = torch.autograd.grad(signed_losses(outputs, delta, log_size)[0].mean(), outputs)
    np.testing.assert_allclose(gradient, wanted, rtol=1e-9, atol=1e-12)


def test_a_negated_sample_swaps_the_two_likelihoods() -> None:
    outputs, delta, log_size = drawn(4)
    plus, minus = signed_losses(outputs, delta, log_size)
    swapped = signed_losses(outputs, -delta, log_size)
    assert torch.equal(plus, swapped[1])
    assert torch.equal(minus, swapped[0])


def test_the_loss_of_one_sample_by_hand() -> None:
    """k = 1, c = alpha = sigma = beta = 1, delta = 2: L+ = 1/2, L- = 9/2, an undecided sign costs log 2."""
    zeros = torch.zeros(1, 5)
    assert float(sign_and_size_losses(zeros, torch.tensor([[2.0]]), torch.zeros(1, 1))) == pytest.approx(
        0.5 + math.log(2)
    )


def test_the_rate_warms_up_and_falls_to_a_hundredth() -> None:
    factors = [rate_factor(epoch, 100) for epoch in range(100)]
    assert factors[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert factors[-1] == pytest.approx(0.01)
    assert all(later < earlier for earlier, later in pairwise(factors[5:]))


def network(inputs: int = 3, classes: int = 2) -> nn.Sequential:
    layers = nn.Sequential(nn.Linear(inputs, 7), nn.ReLU(), nn.Linear(7, classes))
    values = torch.randn(sum(p.numel() for p in layers.parameters()), generator=torch.Generator().manual_seed(2))
    nn.utils.vector_to_parameters(values / 2, layers.parameters())
    return layers


def test_the_last_layer_is_zero_and_draws_nothing_from_the_global_generator() -> None:
    layers, before = network(), torch.get_rng_state()
    changed = without_last_layer(layers, 10)
    assert torch.equal(before, torch.get_rng_state())
    assert changed[0] is layers[0]
    assert changed[-1].weight.abs().sum() == 0
    assert changed[-1].bias.shape == (10,)


def test_each_row_has_the_outputs_of_its_own_class() -> None:
    module = AmortisedLaw(network(classes=3), classes=3, epochs=1)
    with torch.no_grad():
        module.network[-1].bias.copy_(torch.arange(15.0))
    outputs = module(torch.zeros(3, 3), torch.tensor([2, 0, 1]))
    assert torch.equal(outputs, torch.tensor([[10.0, 11, 12, 13, 14], [0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]))


@pytest.mark.parametrize(("form", "wanted"), [("sign_and_size", -2.0), ("expected_sign", -2.0 * 0.5)])
def test_the_sign_is_the_likelier_or_the_expected_one(form: Any, wanted: float) -> None:
    """A positive sign of probability 1/4: expected sign -1/2."""
    module = AmortisedLaw(network(), classes=2, epochs=1, form=form)
    with torch.no_grad():
        module.network[-1].bias[:5] = torch.tensor([math.log(1 / 3), math.log(2.0), math.log(1.5), 0.3, 7.0])
    law = module.laws(torch.zeros(1, 3), torch.tensor([0])).detach()[0]
    np.testing.assert_allclose(law, [wanted, 1.5, 0.3, math.exp(2.0)], rtol=1e-6)


def test_a_class_without_rows_gets_the_mean_of_the_others() -> None:
    module = AmortisedLaw(network(classes=3), classes=3, epochs=1)
    with torch.no_grad():
        module.network[-1].bias.copy_(torch.arange(15.0))
    module.fill_absent(torch.tensor([3, 0, 1]))
    outputs = module(torch.zeros(3, 3), torch.tensor([0, 1, 2])).detach()
    assert torch.equal(outputs[1], 0.75 * outputs[0] + 0.25 * outputs[2])
    assert torch.equal(outputs[0], torch.arange(5.0))


def test_the_score_counts_a_wrong_sign() -> None:
    laws = torch.tensor([[1.0, 1.0, 0.0, 1.0], [-1.0, 1.0, 0.0, 1.0]])
    losses = likelihood_losses(laws, torch.tensor([[2.0], [2.0]]), torch.zeros(2, 1))
    assert losses.tolist() == pytest.approx([0.5, 4.5])


def test_batches_hold_every_row_once_in_a_new_order_each_epoch() -> None:
    rows = torch.arange(10)
    batches = ShuffledBatches((rows, 2 * rows), 4, torch.Generator().manual_seed(0))
    first, second = [list(batches) for _ in range(2)]
    assert [len(each) for each, _ in first] == [4, 4, 2] == [4] * (len(batches) - 1) + [2]
    assert sorted(torch.cat([each for each, _ in first]).tolist()) == list(range(10))
    assert all(torch.equal(2 * each, twice) for each, twice in first)
    assert not torch.equal(torch.cat([each for each, _ in first]), torch.cat([each for each, _ in second]))


def test_the_best_state_is_put_back() -> None:
    """Scores 3, 1, 2 (and a NaN): the state after the second epoch."""
    features, target = torch.randn(8, 3, generator=torch.Generator().manual_seed(5)), torch.arange(8) % 2
    module = Supervised(network(), "classification", lambda p: torch.optim.SGD(p, lr=0.5))
    scores, seen = iter([3.0, 1.0, 2.0, math.nan]), []

    def score(each: Any) -> float:
        seen.append(nn.utils.parameters_to_vector(each.parameters()).detach().clone())
        return next(scores)

    best = KeepBest(score)
    batches = ShuffledBatches((features, target), 4, torch.Generator().manual_seed(0))
    carry_out_fit(Trainer().build([best], max_epochs=4), module, batches)
    assert (best.best, best.epoch) == (1.0, 2)
    weights = nn.utils.parameters_to_vector(module.parameters()).detach()
    assert torch.equal(weights, seen[1])
    assert not torch.equal(weights, seen[3])
