"""Cases that would be silently wrong are right or refused by name."""

from __future__ import annotations

import copy
import logging

import pytest
import torch
import torch.nn.functional as functional
from gradients_cases import Wrapped, close, draw, flat, one_row_at_a_time, refused, settled, squared
from torch import Tensor, nn

from assay.errors import AssayError, InputError
from assay.gradients import LayerError, PerSampleGradients


@pytest.mark.parametrize("norm", [nn.BatchNorm1d(4), nn.BatchNorm1d(4, affine=False), nn.SyncBatchNorm(4)])
def test_batch_norm_is_refused_with_the_remedy(norm: nn.Module) -> None:
    model = nn.Sequential(nn.Linear(5, 4), norm)
    with pytest.raises(
        LayerError, match=r"layer=1: \w*BatchNorm\w* mixes the samples of a batch \(replace it by GroupNorm"
    ):
        PerSampleGradients(model)


def test_batch_norm_that_is_switched_to_training_later_is_refused() -> None:
    model = settled(nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4, affine=False)), torch.float64).eval()
    engine = PerSampleGradients(model)
    assert engine.record(squared, draw(7, 5)).samples == 7
    model.train()
    with pytest.raises(LayerError, match="GroupNorm"):
        engine.record(squared, draw(7, 5))


def test_other_modules_that_mix_samples_are_refused() -> None:
    with pytest.raises(LayerError, match="track_running_stats=False"):
        PerSampleGradients(nn.Sequential(nn.Conv1d(2, 3, 1), nn.InstanceNorm1d(3, track_running_stats=True)))
    with pytest.raises(LayerError, match="scale_grad_by_freq=False"):
        PerSampleGradients(nn.Embedding(4, 3, scale_grad_by_freq=True))
    with pytest.raises(LayerError, match="max_norm=None"):
        PerSampleGradients(nn.Embedding(4, 3, max_norm=1.0))


@pytest.mark.parametrize("reduce", [torch.sum, torch.mean, lambda losses: losses[None], lambda losses: losses[:-1]])
def test_a_reduced_loss_is_refused_by_its_shape(reduce: object) -> None:
    engine = PerSampleGradients(settled(nn.Linear(5, 3), torch.float64), audit=False)
    with pytest.raises(InputError, match=r"losses.shape=.*must be \(7,\), one loss a sample \(use reduction='none'"):
        engine.record(lambda m, x: reduce(squared(m, x)), draw(7, 5))  # type: ignore[operator]


def test_a_loss_normalised_over_the_batch_is_seen_by_the_audit() -> None:
    engine = PerSampleGradients(settled(nn.Linear(5, 3), torch.float64))
    with pytest.raises(LayerError, match="differs from that of the sample alone by 86%"):  # 1 - 1/7
        engine.record(lambda m, x: squared(m, x) / len(x), draw(7, 5))


def test_a_weight_used_outside_its_layer_is_refused_by_name() -> None:
    model = Wrapped(lambda self, x: functional.linear(self.first(x), self.first.weight), first=nn.Linear(5, 5))
    refused(
        model, draw(7, 5), "layer=first.weight: this parameter is also used outside its layer's forward", audit=False
    )


def test_a_weight_used_outside_its_layer_is_vectorised_with_the_module_around_it() -> None:
    model = Wrapped(lambda self, x: functional.linear(self.first(x), self.first.weight), first=nn.Linear(5, 5))
    model, inputs = settled(model, torch.float64), draw(7, 5)
    recorded = PerSampleGradients(model).record(squared, inputs)
    assert close(flat(recorded.materialised()), flat(one_row_at_a_time(model, squared, inputs)), 1e-10)


@pytest.mark.parametrize("count", [5, 6])
def test_positions_without_a_batch_axis_are_refused(count: int) -> None:
    """Six samples of six tokens: shapes alone would let positions pass for samples."""
    parts = {"table": nn.Embedding(6, 4), "layer": nn.Linear(4, 4)}
    model = Wrapped(lambda self, x: self.layer(x) + self.table(torch.arange(6)), **parts)
    refused(model, draw(count, 6, 4), "layer=table: ", audit=False)


def test_samples_on_another_axis_are_seen() -> None:
    model = Wrapped(lambda self, x: self.layer(x.transpose(0, 1)).transpose(0, 1), layer=nn.Linear(4, 4))
    refused(model, draw(7, 5, 4), r"layer=layer: a tensor of shape \(5, 7, 4\) for 7 samples")
    refused(model, draw(7, 7, 4), "differs from that of the sample alone")


def test_a_broadcast_row_that_is_taken_by_index_is_seen() -> None:
    parts = {"table": nn.Embedding(6, 4), "layer": nn.Linear(4, 4)}
    model = Wrapped(lambda self, x: self.layer(x) + self.table(torch.arange(6)[None])[0], **parts)
    refused(model, draw(3, 6, 4), "layer=table.weight: a sample's gradient in its batch differs")


def test_modules_without_a_rule_fall_back_to_vmap_and_say_so_once(caplog: pytest.LogCaptureFixture) -> None:
    model = settled(nn.Sequential(nn.Linear(5, 4), nn.PReLU(4), nn.Linear(4, 3)), torch.float64)
    inputs = draw(7, 5)
    with caplog.at_level(logging.WARNING, "assay.gradients"):
        engine = PerSampleGradients(model)
        second = [engine.record(squared, inputs) for _ in range(2)][1]
    assert [record.message.split(":")[0] for record in caplog.records] == ["no rule for 1 (PReLU)"]
    expected = one_row_at_a_time(model, squared, inputs)
    assert close(flat(second.materialised()), flat(expected), 1e-10)
    assert close(second.norms(), flat(expected).norm(dim=1), 1e-10)
    assert engine.record(squared, inputs[:0]).norms().shape == (0,)
    with pytest.raises(LayerError, match=r"layer=1 \(PReLU\): no rule"):
        PerSampleGradients(model, fallback=False)


def test_subclasses_and_replaced_forwards_are_not_taken_for_the_layer() -> None:
    class Doubled(nn.Linear):
        def forward(self, inputs: Tensor) -> Tensor:
            return 2 * super().forward(inputs)

    patched = nn.Linear(5, 3)
    patched.forward = lambda inputs: functional.linear(inputs, 2 * patched.weight)  # type: ignore[method-assign]
    for model in (Doubled(5, 3), patched):
        with pytest.raises(LayerError, match="no rule"):
            PerSampleGradients(model, fallback=False)


def test_what_vmap_cannot_vectorise_is_refused_in_one_line() -> None:
    class Branching(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(4))

        def forward(self, x: Tensor) -> Tensor:
            return x * self.scale if float(x.sum()) > 0 else x - self.scale

    refused(Branching(), draw(7, 4), "cannot vectorise", AssayError)


def test_the_model_is_left_as_it_was() -> None:
    model, inputs = settled(nn.Sequential(nn.Linear(5, 4), nn.Dropout(0.5), nn.Linear(4, 3)), torch.float64), draw(7, 5)
    model[2].bias.requires_grad_(False)
    before = copy.deepcopy(model.state_dict())
    state = torch.random.get_rng_state()
    PerSampleGradients(model.eval()).record(squared, inputs).clipped_sum(1.0)
    assert torch.equal(torch.random.get_rng_state(), state)
    model.train()
    PerSampleGradients(model).record(squared, inputs)
    assert [m.training for m in model.modules()] == [True] * 4
    assert [p.requires_grad for p in model.parameters()] == [True, True, True, False]
    assert all(p.grad is None for p in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_an_exception_in_the_middle_leaves_no_hooks_behind() -> None:
    def forward(self: nn.Module, features: Tensor) -> Tensor:
        self.first(features)  # type: ignore[operator]
        return self.second(features)  # type: ignore[operator,no-any-return]  # wrong width: raises inside the layer

    refused(
        Wrapped(forward, first=nn.Linear(5, 4), second=nn.Linear(4, 4)), draw(7, 5), "shapes cannot be", RuntimeError
    )


def test_parameters_frozen_later_are_seen() -> None:
    model, inputs = settled(nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3)), torch.float64), draw(7, 5)
    engine = PerSampleGradients(model)
    assert list(engine.record(squared, inputs).mean()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    model[0].requires_grad_(False)
    assert list(engine.record(squared, inputs).mean()) == ["1.weight", "1.bias"]


def test_nothing_to_train_and_unknown_layers_are_refused() -> None:
    with pytest.raises(LayerError, match="no trainable parameter"):
        PerSampleGradients(nn.Linear(5, 3).requires_grad_(False))
    with pytest.raises(LayerError, match="layer=7: the model has no such module"):
        PerSampleGradients(nn.Linear(5, 3), ["7"])


def test_losses_that_depend_on_nothing_and_missing_backward_are_refused() -> None:
    model = settled(nn.Linear(5, 3), torch.float64)
    engine = PerSampleGradients(model, audit=False)
    with pytest.raises(AssayError, match="do not depend on a trainable parameter"):
        engine.record(lambda m, x: x.sum(1), draw(7, 5))
    with engine.recording(samples=7) as tape:
        squared(model, draw(7, 5))
    with pytest.raises(AssayError, match="no backward pass"):
        tape.recorded()


def test_layers_that_the_losses_do_not_reach_have_gradient_zero() -> None:
    model = Wrapped(lambda self, x: self.used(x), used=nn.Linear(5, 3), spare=nn.Linear(5, 3))
    model = settled(model, torch.float64)
    recorded = PerSampleGradients(model).record(squared, draw(7, 5))
    assert not recorded.layer_norms()["spare"].any()
    assert not recorded.clipped_sum(1.0).gradients["spare.weight"].any()
    assert recorded.clipped_sum(1.0).gradients["used.weight"].any()


def test_a_second_backward_pass_through_one_recording_is_refused() -> None:
    engine = PerSampleGradients(settled(nn.Linear(5, 3), torch.float64))
    with engine.recording(samples=7):
        losses = squared(engine.model, draw(7, 5))
        losses.sum().backward(retain_graph=True)
        with pytest.raises(LayerError, match="second backward pass"):
            losses.sum().backward()


def test_replaced_parameters_are_seen() -> None:
    model, inputs = settled(nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3)), torch.float64), draw(7, 5)
    engine = PerSampleGradients(model)
    engine.record(squared, inputs)
    model[1].weight = nn.Parameter(draw(3, 4, seed=9))
    recorded = engine.record(squared, inputs)
    assert close(flat(recorded.materialised()), flat(one_row_at_a_time(model, squared, inputs)), 1e-10)
    engine.store(recorded.mean())
    assert model[1].weight.grad is not None
