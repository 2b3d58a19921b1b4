"""Private training refuses every module of which one row's gradient depends on another, and lets the others through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from users_module import ROWS, User, Y, fitted

from assay.errors import AssayError
from assay.privacy.plan import plan_training


class OwnBatchNorm(User):
    def mix(self, x: Tensor) -> Tensor:
        return (x - x.mean(0)) / x.std(0) if self.training else x


class Centred(User):
    def mix(self, x: Tensor) -> Tensor:
        return x - x.mean(0) if self.training else x


class CentredOfNow(User):
    def mix(self, x: Tensor) -> Tensor:
        return x if self.training else x - x.mean(0)


class ReadsTheRowBefore(User):
    def mix(self, x: Tensor) -> Tensor:
        return x + 0.5 * x.roll(1, 0)


class ReadsTheLastRow(User):
    def mix(self, x: Tensor) -> Tensor:
        return torch.cat([x[:-1], x[-1:] + x[:1]])


class Detached(User):
    def mix(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            size = x.abs().amax()
        return x / size


class Mixup(User):
    def mix(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        share = float(np.random.beta(1, 1))  # noqa: NPY002
        return share * x + (1 - share) * x[torch.randperm(len(x))]


class MixedLabels(User):
    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        x, y = batch
        return nn.functional.cross_entropy(self.scores(x), y.roll(1))


class AcrossTheBatch(User):
    """Attention over the batch in the place of the sequence."""

    def __init__(self) -> None:
        super().__init__(attention=nn.MultiheadAttention(6, 2))

    def mix(self, x: Tensor) -> Tensor:
        return self.attention(x, x, x)[0]


class HardestRow(User):
    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        losses = nn.functional.cross_entropy(self.scores(batch[0]), batch[1], reduction="none")
        return (losses * torch.softmax(losses.detach(), 0)).sum()


class Contrastive(User):
    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        states = self.head(batch[0].mean(1))
        return nn.functional.cross_entropy(states @ states.T, torch.arange(len(states)))


class OnlyInTraining(User):
    def __init__(self) -> None:
        super().__init__()
        self.seen = nn.Parameter(torch.full((6,), 0.1))

    def mix(self, x: Tensor) -> Tensor:
        return x + self.seen * (x.mean() if self.training else 1.0)


class Sorted(User):
    def mix(self, x: Tensor) -> Tensor:
        return x.sort(0).values


MIXING = (
    *(OwnBatchNorm, Centred, CentredOfNow, ReadsTheRowBefore, ReadsTheLastRow, Detached, Mixup, MixedLabels),
    *(AcrossTheBatch, HardestRow, Contrastive, OnlyInTraining, Sorted),
)


@pytest.mark.parametrize("kind", MIXING)
def test_rows_that_mix_are_refused_before_noise_is_drawn(kind: Callable[[], LightningModule]) -> None:
    module = kind()
    before = nn.utils.parameters_to_vector(module.parameters()).detach().clone()
    with pytest.raises(AssayError, match=r"(row|sample)s?\b"):
        fitted(module)
    assert torch.equal(nn.utils.parameters_to_vector(module.parameters()), before)


class Recurrent(User):
    def __init__(self) -> None:
        super().__init__(layer=nn.LSTM(6, 6, batch_first=True))

    def mix(self, x: Tensor) -> Tensor:
        return self.layer(x)[0]


class Encoder(User):
    def __init__(self) -> None:
        layer = nn.TransformerEncoderLayer(6, 2, 8, dropout=0.3, batch_first=True)
        super().__init__(layer=nn.TransformerEncoder(layer, 2, enable_nested_tensor=False))

    def mix(self, x: Tensor) -> Tensor:
        return self.layer(x)


class Masked(User):
    def __init__(self) -> None:
        super().__init__(drop=nn.Dropout(0.5))
        self.scale = nn.Parameter(torch.ones(6))

    def mix(self, x: Tensor) -> Tensor:
        return self.drop(x * self.scale)


class OwnWeight(User):
    """Reads a layer's weight outside the layer."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(self.head(x.mean(1)) @ self.head.weight, self.head.weight)


@pytest.mark.parametrize("precision", ["32-true", "64-true", "bf16-mixed"])
@pytest.mark.parametrize("kind", [User, Recurrent, Encoder, Masked])
def test_rows_that_do_not_mix_are_trained_on(kind: Callable[[], User], precision: str) -> None:
    module = kind()
    private = fitted(module, precision=precision)
    assert private.steps == 3
    assert all(bool(torch.isfinite(p).all()) for p in module.parameters())
    assert next(module.parameters()).dtype == (torch.float64 if precision == "64-true" else torch.float32)
    assert private.plan.epsilon() == pytest.approx(8.0, rel=0.05)


def test_a_weight_used_outside_its_layer_is_trained_as_one_row_at_a_time() -> None:
    class Around(User):
        def __init__(self) -> None:
            super().__init__(inner=OwnWeight())

        def scores(self, x: Tensor) -> Tensor:
            return self.inner(x)

    assert fitted(Around()).steps == 3


class Weighted(User):
    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        return nn.functional.cross_entropy(self.scores(batch[0]), batch[1], weight=torch.tensor([1.0, 2.0, 3.0]))


def test_weights_of_classes_in_a_mean_are_refused() -> None:
    with pytest.raises(AssayError, match="mean over weights of classes"):
        fitted(Weighted())


def test_ignored_rows_that_appear_later_are_refused_at_their_step() -> None:
    plan = plan_training(
        rows=ROWS, batch_size=12, steps=20, epsilon=8.0, delta=1e-5, secure=False, seed=2, accountant="rdp"
    )
    taken = [set(plan.sampler.batch(step).tolist()) for step in range(20)]
    row = next(row for row in range(ROWS) if row not in taken[0] | taken[1])
    first = next(step for step in range(20) if row in taken[step])
    y = Y.clone()
    y[row] = -100
    module = User()
    with pytest.raises(AssayError, match="ignores targets of -100"):
        fitted(module, steps=20, y=y)
    assert module.global_step == first


def test_rows_that_mix_later_are_refused_at_an_interval() -> None:
    class Later(User):
        def mix(self, x: Tensor) -> Tensor:
            return x - x.mean(0) if self.global_step >= 5 else x

    module = Later()
    with pytest.raises(AssayError, match=r"changes by .* of its size with"):
        fitted(module, steps=20)
    assert module.global_step == 8


class Altered(User):
    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        x, y = batch
        return [x + 0.1 * x.flip(0), y]


@pytest.mark.parametrize(
    ("module", "options", "line"),
    [
        (Altered, {}, "is not the .* rows that the sampler drew"),
        (User, {"max_epochs": 2}, "max_epochs=2: all planned steps are one epoch"),
        (User, {"max_epochs": None}, "max_epochs=1000: all planned steps are one epoch"),
        (User, {"precision": "bf16-true"}, "too coarse"),
    ],
)
def test_misuse_is_refused_before_a_step(module: Any, options: dict[str, Any], line: str) -> None:
    own = module()
    with pytest.raises(AssayError, match=line):
        fitted(own, **options)
    assert own.global_step == 0
