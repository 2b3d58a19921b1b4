"""In-place operations on tensors that gradients are made of: the result is right, or refused by layer."""

from __future__ import annotations

import pytest
import torch
from gradients_cases import CASES, Wrapped, close, draw, flat, ids, one_row_at_a_time, refused, settled, squared, vector
from torch import Tensor, nn

from assay.gradients import OverwrittenError, PerSampleGradients


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
            again = PerSampleGradients(model).record(squared, inputs)
            assert close(flat(again.materialised()), flat(one_row_at_a_time(model, squared, inputs)), 1e-10)
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
    recorded = PerSampleGradients(model).record(squared, inputs)
    assert close(flat(recorded.materialised()), flat(one_row_at_a_time(model, squared, inputs)), 1e-10)


def test_shortcuts_that_share_one_output_gradient_are_right() -> None:
    model = Wrapped(lambda self, x: self.one(x) + self.other(x), one=nn.Linear(5, 4), other=nn.Linear(5, 4))
    model, inputs = settled(model, torch.float64), draw(7, 3, 5)
    recorded, expected = PerSampleGradients(model).record(squared, inputs), one_row_at_a_time(model, squared, inputs)
    assert close(recorded.norms(), flat(expected).norm(dim=1), 1e-10)
    for limit in (0.1, 0.2):  # asked twice: what is shared is scaled anew
        weights = (limit / flat(expected).norm(dim=1)).clamp(max=1)
        assert close(vector(recorded.clipped_sum(limit).gradients), weights @ flat(expected), 1e-10)


def test_ids_are_not_overwritten_unseen() -> None:
    model, tokens = settled(nn.Embedding(9, 4), torch.float64), ids(7, 5)
    recorded = PerSampleGradients(model).record(squared, tokens)
    tokens.zero_()
    with pytest.raises(OverwrittenError):
        recorded.norms()


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
    recorded = PerSampleGradients(model, audit=False).record(squared, inputs)
    assert close(flat(recorded.materialised()), flat(one_row_at_a_time(model, squared, inputs)), 1e-10)
