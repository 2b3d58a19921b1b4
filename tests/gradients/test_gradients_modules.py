"""Modules without a rule against one row at a time: every kind of torch.nn, bare parameters, modules of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from gradients_cases import TOLERANCE, close, flat, settled
from modules_cases import KINDS, Kind, first
from modules_table import table
from torch import Tensor, nn

from assay.gradients import LayerError, PerSampleGradients

N = 4


def losses_of(kind: Kind, module: nn.Module, *inputs: Tensor) -> Tensor:
    """A loss of each sample that no two outputs enter alike."""
    outputs = kind.call(module, *inputs)
    outputs = (outputs if kind.axis == 0 else outputs.transpose(0, kind.axis)).flatten(1)
    weights = torch.linspace(0.5, 1.5, outputs.shape[1], dtype=outputs.dtype)
    return ((outputs - 0.3).square() * weights).sum(1) + (outputs * weights).sum(1)


def row_at_a_time(kind: Kind, module: nn.Module, inputs: tuple[Tensor, ...]) -> dict[str, Tensor]:
    parameters = {name: p for name, p in module.named_parameters() if p.requires_grad}
    rows = []
    for row in range(N):
        alone = tuple(each.narrow(kind.axis, row, 1) for each in inputs)
        loss = losses_of(kind, module, *alone).sum()
        gradients = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
        rows.append(
            [torch.zeros_like(p) if g is None else g for g, p in zip(gradients, parameters.values(), strict=True)]
        )
    return {name: torch.stack([row[place] for row in rows]) for place, name in enumerate(parameters)}


def prepared(name: str, dtype: torch.dtype) -> tuple[Kind, nn.Module, tuple[Tensor, ...]]:
    kind = KINDS[name]
    inputs = tuple(each.to(dtype) if each.is_floating_point() else each for each in kind.inputs(N))
    return kind, settled(kind.build(), dtype), inputs


def recorded_by_tape(kind: Kind, module: nn.Module, inputs: tuple[Tensor, ...]) -> Any:
    with PerSampleGradients(module).recording(N) as tape:
        tape.backward(losses_of(kind, module, *inputs))
    return tape.recorded()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("name", KINDS)
def test_gradients_are_those_of_a_row_alone(name: str, dtype: torch.dtype) -> None:
    kind, module, inputs = prepared(name, dtype)
    expected = row_at_a_time(kind, module, inputs)
    recorded = recorded_by_tape(kind, module, inputs)
    rows = flat(expected)
    tolerance = TOLERANCE[dtype]
    assert close(flat(recorded.materialised()), rows, tolerance)
    assert close(recorded.norms(), rows.norm(dim=1), tolerance)
    limit = float(rows.norm(dim=1).median())
    clipped = recorded.clipped_sum(limit).gradients
    weights = (limit / rows.norm(dim=1)).clamp(max=1)
    assert close(torch.cat([value.flatten() for value in clipped.values()]), weights @ rows, tolerance)


@pytest.mark.parametrize("name", KINDS)
def test_the_module_is_left_as_it_was(name: str) -> None:
    kind, module, inputs = prepared(name, torch.float64)
    before, output = {key: value.clone() for key, value in module.state_dict().items()}, kind.call(module, *inputs)
    trained = [p.requires_grad for p in module.parameters()]
    forwards = {key: vars(each).get("forward") for key, each in module.named_modules()}
    recorded_by_tape(kind, module, inputs)
    assert {key: vars(each).get("forward") for key, each in module.named_modules()} == forwards
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())
    assert torch.equal(kind.call(module, *inputs), output)
    assert [p.requires_grad for p in module.parameters()] == trained
    assert all(p.grad is None for p in module.parameters())


@pytest.mark.parametrize("name", KINDS)
def test_a_row_moves_the_clipped_sum_by_no_more_than_the_clip(name: str) -> None:
    kind, module, inputs = prepared(name, torch.float64)
    whole = recorded_by_tape(kind, module, inputs)
    limit = 0.5 * float(whole.norms().min())
    total = whole.clipped_sum(limit).gradients
    rest = whole.take(torch.arange(N - 1)).clipped_sum(limit).gradients
    moved = sum(float((total[name] - rest[name]).square().sum()) for name in total) ** 0.5
    assert moved <= 1.000001 * limit


def test_dropout_in_a_rewritten_module_is_that_of_the_pass() -> None:
    """Gradients and outputs come from one forward, so that masks agree: the sum of all is autograd's own."""
    torch.manual_seed(0)
    module = nn.TransformerEncoderLayer(6, 2, 8, dropout=0.5, batch_first=True).double().train()
    x = torch.randn(N, 5, 6, dtype=torch.float64)
    with PerSampleGradients(module, audit=False).recording(N) as tape:
        torch.manual_seed(1)
        tape.backward((module(x) * x.cos()).flatten(1).sum(1))
    torch.manual_seed(1)
    (module(x) * x.cos()).sum().backward()
    total = tape.recorded().weighted_sum(torch.ones(N, dtype=torch.float64))
    for name, parameter in module.named_parameters():
        torch.testing.assert_close(total[name], parameter.grad, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(
    ("build", "inputs", "limit"),
    [
        (lambda: nn.EmbeddingBag(9, 3, max_norm=1.0), torch.zeros(N, 2, dtype=torch.long), "rescales rows"),
        (lambda: nn.BatchNorm1d(3), torch.zeros(N, 3), "mixes the samples"),
        (lambda: nn.LSTM(6, 4, batch_first=True), torch.zeros(N, 6), "without a batch axis"),
        (lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(6, 3)), torch.zeros(N, 6), "cannot vectorise"),
    ],
)
def test_what_cannot_be_decided_is_refused_with_a_remedy(build: Any, inputs: Tensor, limit: str) -> None:
    module = build()

    def record() -> None:
        with PerSampleGradients(module).recording(N) as tape:
            tape.backward(first(module(inputs)).flatten(1).sum(1))

    with pytest.raises(LayerError, match=limit + r".* \(\w"):
        record()


def test_too_many_numbers_are_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    from assay.gradients.rewrites import whole

    monkeypatch.setattr(whole, "LARGEST", 10)
    module = nn.PReLU(5)
    with (
        pytest.raises(LayerError, match=r"above 1e\+01 .*parts=4\), or task\.parts=4"),
        PerSampleGradients(module).recording(N),
    ):
        module(torch.zeros(N, 5))


def test_the_table_of_the_docs_is_that_of_the_tests() -> None:
    page = (Path(__file__).parents[2] / "docs" / "layers.md").read_text()
    assert table() in page, "python tests/gradients/modules_table.py prints it"
