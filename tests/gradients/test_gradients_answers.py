"""Alignments, leave-one-out corrections, last layers, scales, properties over random models."""

from __future__ import annotations

import itertools

import pytest
import torch
from gradients_cases import CASES, close, draw, flat, one_row_at_a_time, settled, squared, vector
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from assay.errors import AssayError, InputError
from assay.gradients import Alignment, Automatic, Flat, PerLayer, PerSampleGradients, last_layers


def small(seed: int = 0) -> nn.Module:
    return settled(nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 3)), torch.float64, seed)


def test_leave_one_out_is_the_alignment_with_the_mean_of_the_others() -> None:
    model, inputs = small(), draw(7, 5)
    recorded = PerSampleGradients(model).record(squared, inputs)
    rows = flat(one_row_at_a_time(model, squared, inputs))
    alignment = recorded.leave_one_out()
    for number in range(7):
        others = torch.cat([rows[:number], rows[number + 1 :]]).mean(0)
        assert alignment.dots[number] == pytest.approx(float(rows[number] @ others), rel=1e-10)
        assert alignment.direction_norm[number] == pytest.approx(float(others.norm()), rel=1e-10)
        cosine = float(rows[number] @ others / rows[number].norm() / others.norm())
        assert alignment.cosines[number] == pytest.approx(cosine, rel=1e-8)


def test_a_mean_without_its_only_row_is_refused() -> None:
    recorded = PerSampleGradients(small()).record(squared, draw(1, 5))
    with pytest.raises(InputError, match=r"rows=1: must be >= 2"):
        recorded.leave_one_out()


def test_alignments_by_layer_add_up() -> None:
    model, inputs = small(), draw(7, 5)
    recorded = PerSampleGradients(model).record(squared, inputs)
    direction = {name: draw(*value.shape, seed=4) for name, value in model.named_parameters()}
    whole, parts = recorded.alignment(direction), recorded.layer_alignments(direction)
    assert list(parts) == ["0", "2"]
    assert close(sum((part.dots for part in parts.values()), torch.zeros(7)), whole.dots, 1e-12)
    squares = sum((part.direction_norm.square() for part in parts.values()), torch.zeros(()))
    assert float(squares) == pytest.approx(float(whole.direction_norm) ** 2)
    assert close(recorded.cosines(direction), whole.dots / (whole.norms * whole.direction_norm), 1e-9)


def test_a_direction_may_leave_parameters_out_but_not_invent_them() -> None:
    recorded = PerSampleGradients(small()).record(squared, draw(7, 5))
    direction = {"2.bias": torch.ones(3, dtype=torch.float64)}
    assert close(recorded.dots(direction), recorded.materialised()["2.bias"].sum(1), 1e-12)
    with pytest.raises(InputError, match=r"direction\['2.bias'\].shape=\(4,\)"):
        recorded.dots({"2.bias": torch.ones(4)})
    with pytest.raises(InputError, match=r"direction\['3.bias'\]"):
        recorded.dots({"3.bias": torch.ones(4)})


def test_golden_numbers_of_one_linear_unit() -> None:
    """loss = (w x)^2 / 2 with w = 2: gradient 2 x^2; x = 1, 2, 3 gives 2, 8, 18; clipped to 10 their sum is 20."""
    model = nn.Linear(1, 1, bias=False, dtype=torch.float64)
    nn.init.constant_(model.weight, 2.0)
    recorded = PerSampleGradients(model).record(
        lambda m, x: m(x)[:, 0].square() / 2, torch.tensor([[1.0], [2.0], [3.0]]).double()
    )
    assert recorded.norms().tolist() == [2.0, 8.0, 18.0]
    assert recorded.losses is not None
    assert recorded.losses.tolist() == [2.0, 8.0, 18.0]
    assert recorded.gram(recorded).tolist() == [[4.0, 16.0, 36.0], [16.0, 64.0, 144.0], [36.0, 144.0, 324.0]]
    assert recorded.clipped_sum(10.0).gradients["weight"].item() == pytest.approx(20.0, rel=1e-13)


@pytest.mark.parametrize("count", [1, 2])
def test_last_layers_alone(count: int) -> None:
    model, inputs = settled(CASES["mlp"].build(), torch.float64), draw(7, 5)
    names = last_layers(model, count)
    assert names == ["0", "2"][-count:]
    recorded = PerSampleGradients(model, names).record(squared, inputs)
    expected = one_row_at_a_time(model, squared, inputs)
    chosen = {name: value for name, value in expected.items() if name.split(".")[0] in names}
    assert list(recorded.mean()) == list(chosen)
    assert close(recorded.norms(), flat(chosen).norm(dim=1), 1e-10)
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_a_loss_averaged_over_the_batch_is_scaled_back() -> None:
    model, inputs = small(), draw(7, 5)
    engine = PerSampleGradients(model)
    with engine.recording(samples=7) as tape:
        squared(model, inputs).mean().backward()
    taped, expected = tape.recorded(scale=7.0), flat(one_row_at_a_time(model, squared, inputs))
    assert close(taped.norms(), expected.norm(dim=1), 1e-10)
    assert close(flat(taped.materialised()), expected, 1e-10)
    assert close(taped.gram(taped), expected @ expected.T, 1e-10)
    limit = float(taped.norms().median())
    weights = (limit / expected.norm(dim=1)).clamp(max=1)
    assert close(vector(taped.clipped_sum(limit).gradients), weights @ expected, 1e-10)


def test_two_backward_passes_in_turn_are_two_recordings() -> None:
    model, inputs = small(), draw(7, 5)
    engine = PerSampleGradients(model)
    first = engine.record(squared, inputs[:3])
    engine.store(first.clipped_sum(1.0).gradients)
    assert model[0].weight.grad is not None
    before = model[0].weight.grad.clone()
    second = engine.record(squared, inputs[3:])
    assert torch.equal(model[0].weight.grad, before)  # recording touches no .grad
    assert second.samples == 4


@given(
    count=st.integers(1, 6),
    widths=st.lists(st.integers(1, 6), min_size=2, max_size=4),
    tokens=st.integers(0, 4),
    seed=st.integers(0, 99),
    limit=st.floats(0.01, 10.0),
)
def test_no_clipping_rule_exceeds_its_bound(
    count: int, widths: list[int], tokens: int, seed: int, limit: float
) -> None:
    """Guarantee: leaving one sample out changes the sum by at most max_grad_norm."""
    layers = [nn.Linear(a, b) for a, b in itertools.pairwise(widths)]
    model = settled(nn.Sequential(*layers), torch.float32, seed)
    inputs = draw(count, *([tokens] if tokens else []), widths[0], seed=seed, dtype=torch.float32) * 3
    recorded = PerSampleGradients(model).record(squared, inputs)
    rest = recorded.take(torch.arange(1, count))
    for rule in (Flat(limit), PerLayer(limit), Automatic(limit), Automatic(limit, gamma=0.0)):
        whole, without = recorded.clipped_sum(rule), rest.clipped_sum(rule)
        share = vector(whole.gradients) - vector(without.gradients)
        assert whole.max_grad_norm == pytest.approx(limit)
        # the subtraction itself rounds: an eps of the sums
        assert float(share.norm()) <= whole.max_grad_norm * (1 + 1e-5) + 1e-6 * float(vector(whole.gradients).norm())


@given(seed=st.integers(0, 99), scale=st.floats(0.1, 10.0))
def test_norms_are_homogeneous_and_clipping_is_idempotent(seed: int, scale: float) -> None:
    model, inputs = small(seed), draw(5, 5, seed=seed)

    def scaled(model: nn.Module, features: Tensor) -> Tensor:
        return scale * squared(model, features)

    engine = PerSampleGradients(model)
    one, other = engine.record(squared, inputs), engine.record(scaled, inputs)
    assert close(other.norms(), scale * one.norms(), 1e-10)
    limit = float(one.norms().max()) * 1.01
    assert close(vector(one.clipped_sum(limit).gradients), 5 * vector(one.mean()), 1e-10)  # nothing to clip
    bound = Alignment(one.dots(one.mean()), one.norms(), vector(one.mean()).norm())
    assert bool((bound.cosines.abs() <= 1).all())


def test_a_gradient_that_is_not_finite_contributes_zero_and_is_counted() -> None:
    model, inputs = small(), draw(7, 5)
    inputs[2] = float("inf")
    clipped = PerSampleGradients(model, audit=False).record(squared, inputs).clipped_sum(1.0)
    others = torch.cat([inputs[:2], inputs[3:]])
    expected = PerSampleGradients(model).record(squared, others).clipped_sum(1.0)
    assert clipped.samples == 7
    assert close(vector(clipped.gradients), vector(expected.gradients), 1e-12)


@pytest.mark.parametrize("bad", [0.0, -1.0, float("inf"), float("nan")])
def test_limits_that_bound_nothing_are_refused(bad: float) -> None:
    for rule in (Flat, PerLayer, Automatic):
        with pytest.raises(InputError, match="must be > 0 and finite"):
            rule(bad)


def test_per_layer_limits_must_name_every_layer() -> None:
    recorded = PerSampleGradients(small()).record(squared, draw(7, 5))
    with pytest.raises(InputError, match="lacks the layer 2"):
        recorded.clipped_sum(PerLayer({"0": 1.0}))


def test_gram_of_different_engines_is_refused() -> None:
    model = small()
    one = PerSampleGradients(model).record(squared, draw(3, 5))
    other = PerSampleGradients(model, ["2"]).record(squared, draw(3, 5))
    with pytest.raises(AssayError, match="gram"):
        one.gram(other)


@pytest.mark.parametrize("name", ["conv2d", "conv2d, channels last"])
def test_a_batch_keeps_its_memory_while_another_of_the_same_size_is_recorded(name: str) -> None:
    case = CASES[name]
    model, inputs = settled(case.build(), torch.float64), case.inputs(6)
    engine = PerSampleGradients(model)
    one, other = engine.record(case.loss, inputs[:3]), engine.record(case.loss, inputs[3:])
    expected = flat(one_row_at_a_time(model, case.loss, inputs))
    both = engine.record(case.loss, inputs[3:])
    assert close(one.gram(other), expected[:3] @ expected[3:].T, 1e-10)
    assert close(one.gram(both), expected[:3] @ expected[3:].T, 1e-10)
    del one
    third = engine.record(case.loss, inputs[:3])  # takes the memory of the first
    assert close(third.gram(other), expected[:3] @ expected[3:].T, 1e-10)


def test_memory_of_an_earlier_sum_is_used_again_and_only_if_given() -> None:
    model, inputs = small(), draw(6, 5)
    engine = PerSampleGradients(model)
    first = engine.record(squared, inputs[:3]).clipped_sum(0.1)
    before, memory = vector(first.gradients), first.gradients["0.weight"].data_ptr()
    expected = engine.record(squared, inputs[3:]).clipped_sum(0.1)
    assert torch.equal(vector(first.gradients), before)
    again = engine.record(squared, inputs[3:]).clipped_sum(0.1, out=first.gradients)
    assert again.gradients["0.weight"].data_ptr() == memory
    assert torch.equal(vector(again.gradients), vector(expected.gradients))
