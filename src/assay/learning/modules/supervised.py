"""Supervised training by minibatches."""

from __future__ import annotations

from collections.abc import Callable

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn


class Supervised(LightningModule):
    """A network under the squared error or the cross-entropy, its loss the mean over the batch."""

    def __init__(self, network: nn.Module, kind: str, optimizer: Callable[..., torch.optim.Optimizer]) -> None:
        super().__init__()
        self.network, self.kind, self._optimizer = network, kind, optimizer
        self.sample_losses: Tensor | None = None

    def forward(self, features: Tensor) -> Tensor:
        """Outputs [N, c]."""
        outputs: Tensor = self.network(features)
        return outputs

    def losses(self, features: Tensor, target: Tensor) -> Tensor:
        """One loss a sample [N]."""
        outputs = self(features)
        if self.kind == "regression":
            half: Tensor = 0.5 * (outputs[:, 0] - target) ** 2
            return half
        return nn.functional.cross_entropy(outputs, target.long(), reduction="none")

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """Mean loss of a batch; the losses behind it are left in `sample_losses`, for callbacks."""
        losses = self.losses(*batch)
        self.sample_losses = losses.detach()
        return losses.mean()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The optimizer over all parameters."""
        return self._optimizer(self.parameters())

    @torch.no_grad()
    def scores(self, features: Tensor, target: Tensor) -> dict[str, float]:
        """Loss (squared error or cross-entropy) and, for classes, accuracy on rows [n]."""
        training = self.training
        self.eval()
        outputs = torch.cat([self(part) for part in torch.split(features, 4096)])
        self.train(training)
        if self.kind == "regression":
            return {"loss": float(((outputs[:, 0] - target) ** 2).mean())}
        loss = nn.functional.cross_entropy(outputs, target.long())
        return {"loss": float(loss), "accuracy": float((outputs.argmax(1) == target).double().mean())}
