"""Private training goes on from a checkpoint of Lightning to the bit, with nothing else given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import Tensor, nn

from assay.errors import AssayError
from assay.learning.callbacks.private_gradients import PrivateGradients
from assay.learning.fitting import quiet
from assay.learning.private_loader import private_loader
from assay.privacy.plan import TrainingPlan, plan_training

ROWS, STEPS = 40, 12
X = torch.randn(ROWS, 6, generator=torch.Generator().manual_seed(0))
Y = torch.randint(3, (ROWS,), generator=torch.Generator().manual_seed(1))


class Module(LightningModule):
    """Dropout draws masks, momentum and the learning rate have a state."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Dropout(0.3), nn.Linear(8, 3))
        values = torch.randn(sum(p.numel() for p in self.parameters()), generator=torch.Generator().manual_seed(2))
        nn.utils.vector_to_parameters(values / 2, self.parameters())

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        loss = nn.functional.cross_entropy(self.net(batch[0]), batch[1])
        self.log("loss", loss)
        return loss

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.Adam(self.parameters(), lr=0.05)
        return [optimizer], [{"scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 4), "interval": "step"}]


class Killed(Callback):
    """Stands for a kill in the middle of a step."""

    def on_before_optimizer_step(self, trainer: Trainer, pl_module: LightningModule, optimizer: Any) -> None:
        if trainer.global_step == 7:
            raise KeyboardInterrupt


def plan(secure: bool = False) -> TrainingPlan:
    return plan_training(
        rows=ROWS,
        batch_size=12,
        steps=STEPS,
        epsilon=3.0,
        delta=1e-5,
        secure=secure,
        seed=None if secure else 5,
        accountant="rdp",
    )


def fitted(
    folder: Path,
    module: LightningModule,
    planned: TrainingPlan,
    *callbacks: Callback,
    ckpt_path: Path | None = None,
    parts: int = 1,
) -> PrivateGradients:
    private = PrivateGradients(planned)
    torch.manual_seed(9)  # whatever numbers the process has drawn before
    with quiet():
        trainer = Trainer(
            callbacks=[*callbacks, private], max_epochs=1, accelerator="cpu", logger=False, default_root_dir=folder,
            enable_progress_bar=False, enable_model_summary=False, accumulate_grad_batches=parts,
            enable_checkpointing=any(isinstance(each, ModelCheckpoint) for each in callbacks),
        )  # fmt: skip
        trainer.fit(module, private_loader(planned, (X, Y), parts), ckpt_path=ckpt_path)
    return private


def weights(module: nn.Module) -> Tensor:
    return nn.utils.parameters_to_vector(module.parameters()).detach()


def saved(folder: Path) -> ModelCheckpoint:
    return ModelCheckpoint(folder, every_n_train_steps=5, save_top_k=-1, filename="{step}")


@pytest.mark.parametrize("parts", [1, 3])
def test_killed_and_resumed_it_is_the_undisturbed_training_to_the_bit(tmp_path: Path, parts: int) -> None:
    undisturbed, killed, resumed = Module(), Module(), Module()
    first = fitted(tmp_path, undisturbed, plan(), parts=parts)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        fitted(tmp_path, killed, plan(), saved(tmp_path), Killed(), parts=parts)
    torch.manual_seed(123)
    second = fitted(tmp_path, resumed, plan(), ckpt_path=tmp_path / "step=5.ckpt", parts=parts)
    assert torch.equal(weights(resumed), weights(undisturbed))
    assert second.steps == first.steps == STEPS
    assert second.plan.epsilon() == first.plan.epsilon()


def test_under_secure_noise_the_account_is_unbroken(tmp_path: Path) -> None:
    planned = plan(secure=True)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        fitted(tmp_path, Module(), planned, saved(tmp_path), Killed())
    module = Module()
    resumed = fitted(tmp_path, module, plan(secure=True), ckpt_path=tmp_path / "step=5.ckpt")
    assert resumed.steps == STEPS
    assert resumed.plan.epsilon() <= 3.0 + 1e-9


def test_a_second_fit_on_a_plan_is_refused(tmp_path: Path) -> None:
    planned, module = plan(), Module()
    fitted(tmp_path, module, planned)
    end = weights(module).clone()
    with pytest.raises(AssayError, match="12 of its 12 steps are made"):
        fitted(tmp_path, module, planned)
    assert torch.equal(weights(module), end)


def test_a_checkpoint_of_another_plan_is_refused(tmp_path: Path) -> None:
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        fitted(tmp_path, Module(), plan(), saved(tmp_path), Killed())
    other = plan_training(
        rows=ROWS, batch_size=12, steps=STEPS, epsilon=3.0, delta=1e-5, max_grad_norm=5.0, secure=False, seed=5,
        accountant="rdp",
    )  # fmt: skip
    with pytest.raises(AssayError, match="the checkpoint is of another one"):
        fitted(tmp_path, Module(), other, ckpt_path=tmp_path / "step=5.ckpt")


def test_a_checkpoint_between_the_parts_of_a_step_is_refused(tmp_path: Path) -> None:
    class Early(Callback):
        def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
            trainer.save_checkpoint(tmp_path / "early.ckpt")

    with pytest.raises(AssayError, match="between the parts of a step"):
        fitted(tmp_path, Module(), plan(), Early(), parts=2)
    assert not (tmp_path / "early.ckpt").exists()
