"""Every answer of the engine against one row at a time, for every layer."""

from __future__ import annotations

import pytest
import torch
from gradients_cases import (
    CASES,
    TOLERANCE,
    Case,
    close,
    draw,
    flat,
    gpt2,
    next_token,
    one_row_at_a_time,
    settled,
    vector,
)
from torch import nn

from assay.gradients import Automatic, Flat, PerLayer, PerSampleGradients
from assay.gradients.layers import covered_layers

DTYPES = [torch.float32, torch.float64]


def check_all_answers(case: Case, count: int, dtype: torch.dtype) -> None:
    model, inputs = settled(case.build(), dtype), case.inputs(count)
    inputs = inputs.to(dtype) if inputs.is_floating_point() else inputs
    tolerance = TOLERANCE[dtype]
    expected = one_row_at_a_time(model, case.loss, inputs)
    recorded = PerSampleGradients(model, fallback=False).record(case.loss, inputs)
    assert recorded.samples == count
    gradients = recorded.materialised()
    assert {name: value.shape for name, value in gradients.items()} == {n: v.shape for n, v in expected.items()}
    direction = {name: draw(*value.shape[1:], seed=5, dtype=dtype) for name, value in expected.items()}
    if count == 0:
        assert recorded.norms().shape == (0,)
        assert recorded.dots(direction).shape == (0,)
        assert recorded.gram(recorded).shape == (0, 0)
        assert not vector(recorded.clipped_sum(1.0).gradients).any()
        return
    rows = flat(expected)
    norms = rows.norm(dim=1)
    assert close(flat(gradients), rows, tolerance)
    assert close(recorded.norms(), norms, tolerance)
    assert close(recorded.losses, case.loss(model, inputs).detach(), tolerance)
    # a dot product can cancel: its error is measured against the product of the norms
    size = float(norms.norm() * vector(direction).norm())
    assert float((recorded.dots(direction) - rows @ vector(direction)).norm()) <= tolerance * size
    assert close(recorded.gram(recorded), rows @ rows.T, tolerance)
    limit = float(norms.median())
    weights = (limit / norms).clamp(max=1)
    assert close(vector(recorded.clipped_sum(limit).gradients), weights @ rows, tolerance)
    assert close(vector(recorded.mean()), rows.mean(0), tolerance * float(norms.mean() / rows.mean(0).norm()))
    index = torch.tensor([count - 1, 0])
    assert close(flat(recorded.take(index).materialised()), rows[index], tolerance)
    assert close(recorded.take(index).norms(), norms[index], tolerance)


@pytest.mark.parametrize("count", [0, 1, 7])
@pytest.mark.parametrize("dtype", DTYPES, ids=["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_answers_equal_autograd_one_row_at_a_time(name: str, dtype: torch.dtype, count: int) -> None:
    check_all_answers(CASES[name], count, dtype)


@pytest.mark.parametrize("count", [0, 1, 7])
@pytest.mark.parametrize("dtype", DTYPES, ids=["float32", "float64"])
def test_gpt2_with_tied_weights_and_default_position_ids(dtype: torch.dtype, count: int) -> None:
    pytest.importorskip("transformers")
    check_all_answers(Case(gpt2, CASES["language model"].inputs, next_token), count, dtype)


@pytest.mark.parametrize("count", [1, 5])
def test_lora_of_peft(count: int) -> None:
    """Five samples of five tokens: as many positions as samples."""
    pytest.importorskip("transformers")
    peft = pytest.importorskip("peft")

    def adapted() -> nn.Module:
        options = {"r": 2, "lora_alpha": 4, "target_modules": ["c_attn", "c_fc"], "fan_in_fan_out": True}
        model: nn.Module = peft.get_peft_model(gpt2(), peft.LoraConfig(**options))
        assert all("lora_" in name for name, value in model.named_parameters() if value.requires_grad)
        return model

    check_all_answers(Case(adapted, CASES["language model"].inputs, next_token), count, torch.float64)


def test_every_rule_of_the_table_has_a_case() -> None:
    kinds = {type(module) for case in CASES.values() for module in case.build().modules()}
    names = {f"{kind.__module__}.{kind.__qualname__}" for kind in kinds} | {"transformers.pytorch_utils.Conv1D"}
    assert set(covered_layers()) <= names


@pytest.mark.parametrize(
    "name", ["mlp", "conv2d", "conv2d, ghost", "conv2d, groups", "language model, tied", "linear of images"]
)
def test_gram_matrix_between_two_batches(name: str) -> None:
    case = CASES[name]
    model, inputs = settled(case.build(), torch.float64), case.inputs(7)
    engine = PerSampleGradients(model)
    one, other = engine.record(case.loss, inputs[:4]), engine.record(case.loss, inputs[4:])
    expected = flat(one_row_at_a_time(model, case.loss, inputs))
    assert close(one.gram(other), expected[:4] @ expected[4:].T, 1e-10)
    # the first batch is still what it was, although the second used the same workspace
    assert close(flat(one.materialised()), expected[:4], 1e-10)


def test_clipping_rules_against_their_formulas() -> None:
    case = CASES["mlp"]
    model, inputs = settled(case.build(), torch.float64), case.inputs(7)
    recorded = PerSampleGradients(model).record(case.loss, inputs)
    rows = one_row_at_a_time(model, case.loss, inputs)
    norms, layers = flat(rows).norm(dim=1), {"0": ["0.weight", "0.bias"], "2": ["2.weight", "2.bias"]}
    limit = float(norms.median())

    clipped = recorded.clipped_sum(Flat(limit))
    assert (clipped.max_grad_norm, clipped.samples) == (limit, 7)
    assert close(vector(clipped.gradients), (limit / norms).clamp(max=1) @ flat(rows), 1e-10)

    automatic = recorded.clipped_sum(Automatic(2.0, gamma=0.01))
    assert automatic.max_grad_norm == 2.0
    assert close(vector(automatic.gradients), (2.0 / (norms + 0.01)) @ flat(rows), 1e-10)

    limits = {"0": 0.7 * limit, "2": 0.2 * limit}
    by_layer = recorded.clipped_sum(PerLayer(limits))
    assert by_layer.max_grad_norm == pytest.approx((0.7**2 + 0.2**2) ** 0.5 * limit)
    for layer, names in layers.items():
        part = flat({name: rows[name] for name in names})
        assert close(recorded.layer_norms()[layer], part.norm(dim=1), 1e-10)
        weights = (limits[layer] / part.norm(dim=1)).clamp(max=1)
        assert close(vector({name: by_layer.gradients[name] for name in names}), weights @ part, 1e-10)
    assert recorded.clipped_sum(PerLayer(3.0)).max_grad_norm == pytest.approx(3.0)
