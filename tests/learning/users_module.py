"""A user's LightningModule, a table, and a private training of both."""

from __future__ import annotations

from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor, nn

from assay.learning.callbacks.private_gradients import PrivateGradients
from assay.learning.fitting import quiet
from assay.learning.private_loader import private_loader
from assay.privacy.plan import plan_training

ROWS = 32
X = torch.randn(ROWS, 5, 6, generator=torch.Generator().manual_seed(0))
Y = torch.randint(3, (ROWS,), generator=torch.Generator().manual_seed(1))


class User(LightningModule):
    """A user's module: layers, and a way from a batch to its scores and its loss."""

    def __init__(self, **layers: nn.Module) -> None:
        super().__init__()
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.head = nn.Linear(6, 3)

    def scores(self, x: Tensor) -> Tensor:
        return self.head(self.mix(x).mean(1))

    def mix(self, x: Tensor) -> Tensor:
        return x

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        x, y = batch
        return nn.functional.cross_entropy(self.scores(x), y)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fitted(module: LightningModule, steps: int = 3, x: Tensor = X, y: Tensor = Y, **options: Any) -> PrivateGradients:
    plan = plan_training(
        rows=ROWS, batch_size=12, steps=steps, epsilon=8.0, delta=1e-5, secure=False, seed=2, accountant="rdp"
    )
    private = PrivateGradients(plan)
    given = {"max_epochs": 1, "accelerator": "cpu", "logger": False, "enable_checkpointing": False, **options}
    with quiet():
        trainer = Trainer(callbacks=[private], enable_progress_bar=False, enable_model_summary=False, **given)
        trainer.fit(module, private_loader(plan, (x, y)))
    return private
