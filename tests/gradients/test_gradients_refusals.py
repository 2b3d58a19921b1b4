"""What would be silently wrong is right or refused by name."""

from __future__ import annotations

import copy
import logging

import pytest
import torch
import torch.nn.functional as functional
from gradients_cases import CASES, close, draw, flat, ids, one_row_at_a_time, settled, squared, vector
from torch import Tensor, nn

from assay.errors import AssayError, InputError
from assay.gradients import LayerError, OverwrittenError, PerSampleGradients


class Wrapped(nn.Module):
    """A module whose forward is given."""

    def __init__(self, forward: object, **parts: nn.Module) -> None:
        super().__init__()
        self._do = forward
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, features: Tensor) -> Tensor:
        return self._do(self, features)  # type: ignore[operator]


def refused(model: nn.Module, inputs: Tensor, match: str, kind: type[Exception] = LayerError, **options: bool) -> None:
    model = settled(model, torch.float64)
    with pytest.raises(kind, match=match):
        PerSampleGradients(model, **options).record(squared, inputs).clipped_sum(1.0)
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


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


def test_a_loss_normalised_over_the_batch_is_found_by_the_audit() -> None:
    engine = PerSampleGradients(settled(nn.Linear(5, 3), torch.float64))
    with pytest.raises(LayerError, match="differs from that of the sample alone by 86%"):  # 1 - 1/7
        engine.record(lambda m, x: squared(m, x) / len(x), draw(7, 5))


def test_an_activation_overwritten_after_use_is_refused_by_layer() -> None:
    def forward(self: nn.Module, features: Tensor) -> Tensor:
        hidden = self.first(features)  # type: ignore[operator]
        return hidden.mul_(2.0) + self.second(hidden) if self.early else _late(self, hidden)  # type: ignore[operator]

    def _late(self: nn.Module, hidden: Tensor) -> Tensor:
        after = self.second(hidden)  # type: ignore[operator]
        return hidden.mul_(2.0) + after

    for early in (True, False):
        model = Wrapped(forward, first=nn.Linear(5, 4), second=nn.Linear(4, 4))
        model.early = early
        if early:  # before use: right
            model, inputs = settled(model, torch.float64), draw(7, 5)
            found = PerSampleGradients(model).record(squared, inputs)
            assert close(flat(found.materialised()), flat(one_row_at_a_time(model, squared, inputs)), 1e-10)
        else:
            refused(model, draw(7, 5), "layer=second: .*overwritten in place", OverwrittenError)


def test_a_batch_overwritten_before_the_sum_is_asked_for_is_refused() -> None:
    model, inputs = settled(nn.Linear(5, 3), torch.float64), draw(7, 5)
    recorded = PerSampleGradients(model).record(squared, inputs)
    inputs.zero_()
    with pytest.raises(OverwrittenError, match=r"layer=\(the model itself\): .*overwritten"):
        recorded.clipped_sum(1.0)


def test_in_place_operations_after_layers_are_right() -> None:
    model = settled(
        nn.Sequential(
            nn.Conv2d(2, 4, 3),
            nn.ReLU(True),
            nn.GroupNorm(2, 4),
            nn.ReLU(True),
            nn.Flatten(),
            nn.Linear(36, 3),
            nn.Sigmoid(),
        ),
        torch.float64,
    )
    inputs = draw(7, 2, 5, 5)
    found = PerSampleGradients(model).record(squared, inputs)
    assert close(flat(found.materialised()), flat(one_row_at_a_time(model, squared, inputs)), 1e-10)


def test_shortcuts_that_share_one_output_gradient_are_right() -> None:
    model = Wrapped(lambda self, x: self.one(x) + self.other(x), one=nn.Linear(5, 4), other=nn.Linear(5, 4))
    model, inputs = settled(model, torch.float64), draw(7, 3, 5)
    found, expected = PerSampleGradients(model).record(squared, inputs), one_row_at_a_time(model, squared, inputs)
    assert close(found.norms(), flat(expected).norm(dim=1), 1e-10)
    for limit in (0.1, 0.2):  # asked twice: what is shared is scaled anew
        weights = (limit / flat(expected).norm(dim=1)).clamp(max=1)
        assert close(vector(found.clipped_sum(limit).gradients), weights @ flat(expected), 1e-10)


def test_a_weight_used_outside_its_layer_is_refused_by_name() -> None:
    model = Wrapped(lambda self, x: functional.linear(self.first(x), self.first.weight), first=nn.Linear(5, 5))
    refused(
        model, draw(7, 5), "layer=first.weight: this parameter is also used outside its layer's forward", audit=False
    )
    refused(model, draw(7, 5), "also used outside")


@pytest.mark.parametrize("count", [5, 6])
def test_positions_without_a_batch_axis_are_refused(count: int) -> None:
    """Six samples of six tokens: shapes alone would let positions pass for samples."""
    parts = {"table": nn.Embedding(6, 4), "layer": nn.Linear(4, 4)}
    model = Wrapped(lambda self, x: self.layer(x) + self.table(torch.arange(6)), **parts)
    refused(model, draw(count, 6, 4), "layer=table: ", audit=False)


def test_samples_on_another_axis_are_found() -> None:
    model = Wrapped(lambda self, x: self.layer(x.transpose(0, 1)).transpose(0, 1), layer=nn.Linear(4, 4))
    refused(model, draw(7, 5, 4), r"layer=layer: a tensor of shape \(5, 7, 4\) for 7 samples")
    refused(model, draw(7, 7, 4), "differs from that of the sample alone")


def test_a_broadcast_row_that_is_taken_by_index_is_found() -> None:
    parts = {"table": nn.Embedding(6, 4), "layer": nn.Linear(4, 4)}
    model = Wrapped(lambda self, x: self.layer(x) + self.table(torch.arange(6)[None])[0], **parts)
    refused(model, draw(3, 6, 4), "layer=table.weight: a sample's gradient in its batch differs")


def test_modules_without_a_rule_fall_back_to_vmap_and_say_so_once(caplog: pytest.LogCaptureFixture) -> None:
    model = settled(nn.Sequential(nn.Linear(5, 4), nn.PReLU(4), nn.Linear(4, 3)), torch.float64)
    inputs = draw(7, 5)
    with caplog.at_level(logging.WARNING, "assay.gradients"):
        engine = PerSampleGradients(model)
        found = [engine.record(squared, inputs) for _ in range(2)][1]
    assert [record.message.split(":")[0] for record in caplog.records] == ["no rule for 1 (PReLU"]
    expected = one_row_at_a_time(model, squared, inputs)
    assert close(flat(found.materialised()), flat(expected), 1e-10)
    assert close(found.norms(), flat(expected).norm(dim=1), 1e-10)
    assert engine.record(squared, inputs[:0]).norms().shape == (0,)
    with pytest.raises(LayerError, match=r"layer=1 \(PReLU: weight\): no rule"):
        engine.recording(samples=7)
    with pytest.raises(LayerError, match="no rule"):
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


def test_attention_of_torch_falls_back(caplog: pytest.LogCaptureFixture) -> None:
    """Its output projection is read without being called, which no hook would see."""
    model = Wrapped(lambda self, x: self.attention(x, x, x)[0], attention=nn.MultiheadAttention(4, 2, batch_first=True))
    model, inputs = settled(model, torch.float64), draw(7, 3, 4)
    found = PerSampleGradients(model).record(squared, inputs)
    assert "attention.out_proj" in caplog.text
    assert close(flat(found.materialised()), flat(one_row_at_a_time(model, squared, inputs)), 1e-10)


def test_what_vmap_cannot_vectorise_is_refused_in_one_line() -> None:
    refused(
        Wrapped(lambda self, x: self.gru(x)[0], gru=nn.GRU(4, 3, batch_first=True)),
        draw(7, 3, 4),
        "cannot vectorise",
        AssayError,
    )


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


def test_ids_are_not_overwritten_unseen() -> None:
    model, tokens = settled(nn.Embedding(9, 4), torch.float64), ids(7, 5)
    recorded = PerSampleGradients(model).record(squared, tokens)
    tokens.zero_()
    with pytest.raises(OverwrittenError):
        recorded.norms()


def test_a_second_backward_pass_through_one_recording_is_refused() -> None:
    engine = PerSampleGradients(settled(nn.Linear(5, 3), torch.float64))
    with engine.recording(samples=7):
        losses = squared(engine.model, draw(7, 5))
        losses.sum().backward(retain_graph=True)
        with pytest.raises(LayerError, match="second backward pass"):
            losses.sum().backward()


IN_PLACE = [
    "linear",
    "linear of sequences, ghost",
    "linear of images",
    "conv2d",
    "conv1d",
    "embedding",
    "layer norm of sequences",
]


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("write", [torch.relu_, lambda hidden: hidden[:, 0].mul_(3.0)], ids=["whole", "part"])
@pytest.mark.parametrize("name", [*IN_PLACE, "transformers"])
def test_outputs_written_on_after_any_layer_are_right(name: str, write: object, first: bool) -> None:
    """Some layers return views, and a hook on a view is lost when the view is written on."""
    if name == "transformers":
        kind = pytest.importorskip("transformers.pytorch_utils").Conv1D
        layer, inputs = kind(4, 5), draw(7, 3, 5)
    else:
        built, inputs = CASES[name].build(), CASES[name].inputs(7)
        layer = built[0] if isinstance(built, nn.Sequential) else built

    def forward(self: nn.Module, features: Tensor) -> Tensor:
        hidden = self.layer(features if first else features * self.scale.weight)  # type: ignore[operator,union-attr]
        write(hidden)  # type: ignore[operator]
        return hidden * 1.5

    if not first and not inputs.is_floating_point():
        pytest.skip("ids come first")
    scale = nn.Linear(1, 1, bias=False).requires_grad_(False)
    model = settled(Wrapped(forward, layer=layer, scale=scale), torch.float64)
    if not first:
        inputs.requires_grad_()  # so that the layer's output is inside the graph already
    found = PerSampleGradients(model, audit=False).record(squared, inputs)
    assert close(flat(found.materialised()), flat(one_row_at_a_time(model, squared, inputs)), 1e-10)


def test_replaced_parameters_are_seen() -> None:
    model, inputs = settled(nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3)), torch.float64), draw(7, 5)
    engine = PerSampleGradients(model)
    engine.record(squared, inputs)
    model[1].weight = nn.Parameter(draw(3, 4, seed=9))
    found = engine.record(squared, inputs)
    assert close(flat(found.materialised()), flat(one_row_at_a_time(model, squared, inputs)), 1e-10)
    engine.store(found.mean())
    assert model[1].weight.grad is not None
