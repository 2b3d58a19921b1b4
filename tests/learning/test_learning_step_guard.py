"""Nothing but noised gradients reaches the parameters of a private training."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import EarlyStopping
from torch import Tensor, nn
from users_module import ROWS, User, X, Y, fitted

from assay.errors import AssayError
from assay.learning.callbacks.private_gradients import PrivateGradients
from assay.learning.callbacks.step_guard import StepGuard
from assay.learning.fitting import quiet
from assay.learning.private_loader import private_loader
from assay.privacy.plan import plan_training


class Unfreezing(User):
    def __init__(self) -> None:
        super().__init__(layer=nn.Linear(6, 6))
        self.layer.requires_grad_(False)

    def mix(self, x: Tensor) -> Tensor:
        self.layer.requires_grad_(True)
        return self.layer(x)


class Unregistered(User):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = [nn.Linear(6, 6)]

    def mix(self, x: Tensor) -> Tensor:
        return self.hidden[0](x)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD([*self.parameters(), *self.hidden[0].parameters()], lr=0.1)


class Statistics(User):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(6))

    def mix(self, x: Tensor) -> Tensor:
        self.mean.mul_(0.9).add_(0.1 * x.detach().mean((0, 1)))
        return x


class DataInit(User):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 6)
        self.begun = False

    def mix(self, x: Tensor) -> Tensor:
        if not self.begun:
            self.layer.bias.data.sub_(x.mean((0, 1)))
            self.begun = True
        return self.layer(x)


class AddsRaw(User):
    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        self.last = batch[0].sum()
        return super().training_step(batch, batch_idx)

    def on_before_optimizer_step(self, optimizer: Any) -> None:
        self.head.bias.grad.add_(self.last)


class MixesInHook(User):
    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        batch[0].add_(batch[0].flip(0).clone())


class SometimesMixes(User):
    def mix(self, x: Tensor) -> Tensor:
        return x + x.flip(0) if float(torch.rand(())) < 0.3 else x


class Clamped(User):
    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        return super().training_step(batch, batch_idx).clamp(max=5.0)


class NoNaN(User):
    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        return torch.nan_to_num(super().training_step(batch, batch_idx))


class Plateau(User):
    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": plateau, "monitor": "loss"}}


class Hooked(User):
    def on_fit_start(self) -> None:
        self.head.weight.register_hook(lambda gradient: 2 * gradient)


PAST_THE_NOISE = (
    *(Unfreezing, Unregistered, Statistics, DataInit, AddsRaw, MixesInHook, SometimesMixes, Clamped, NoNaN, Plateau),
    *(Hooked,),
)


@pytest.mark.parametrize("kind", PAST_THE_NOISE)
def test_no_way_leads_past_clip_and_noise(kind: type[User]) -> None:
    module = kind()
    with pytest.raises(AssayError):
        fitted(module)
    assert module.global_step == 0
    assert "training_step" not in vars(module)


def test_adversarial_rows_are_trained_on_as_they_are() -> None:
    """A step may differentiate before its backward pass: what it finds there is no gradient of its loss."""

    class Adversarial(User):
        def training_step(self, batch: Any, batch_idx: int) -> Tensor:
            x = batch[0].clone().requires_grad_()
            losses = nn.functional.cross_entropy(self.scores(x), batch[1], reduction="none")
            (slope,) = torch.autograd.grad(losses.sum(), x)
            return super().training_step((batch[0] + 0.1 * slope.sign(), batch[1]), batch_idx)

    assert fitted(Adversarial()).steps == 3


def test_work_on_the_batch_in_place_is_a_steps_own_affair() -> None:
    class InPlace(User):
        def mix(self, x: Tensor) -> Tensor:
            return x.div_(2)

    assert fitted(InPlace()).steps == 3


def test_two_trainings_on_one_plan_are_refused() -> None:
    plan = plan_training(
        rows=ROWS, batch_size=12, steps=3, epsilon=8.0, delta=1e-5, secure=False, seed=2, accountant="rdp"
    )
    options: dict[str, Any] = {"max_epochs": 1, "accelerator": "cpu", "logger": False, "enable_checkpointing": False}
    options |= {"enable_progress_bar": False, "enable_model_summary": False}
    with quiet():
        Trainer(callbacks=[PrivateGradients(plan)], limit_train_batches=2, **options).fit(
            User(), private_loader(plan, (X, Y))
        )
        with pytest.raises(AssayError, match="2 of its 3 steps are made"):
            Trainer(callbacks=[PrivateGradients(plan)], **options).fit(User(), private_loader(plan, (X, Y)))


def test_a_subclass_that_steers_by_train_rows_is_refused() -> None:
    class Patience(EarlyStopping):
        """A user's own, by another name."""

    module, plan = (
        User(),
        plan_training(
            rows=ROWS, batch_size=12, steps=3, epsilon=8.0, delta=1e-5, secure=False, seed=2, accountant="rdp"
        ),
    )
    with pytest.raises(AssayError, match="monitor=loss: Patience would steer"), quiet():
        Trainer(
            callbacks=[PrivateGradients(plan), Patience("loss")], max_epochs=1, accelerator="cpu", logger=False,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        ).fit(module, private_loader(plan, (X, Y)))  # fmt: skip
    assert module.global_step == 0


def test_a_scaled_loss_is_refused() -> None:
    with pytest.raises(AssayError, match="precision=16-mixed: scales losses"):
        StepGuard(SimpleNamespace(precision="16-mixed"), User(), {})  # type: ignore[arg-type]
