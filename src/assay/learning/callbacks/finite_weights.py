"""Ends a training whose weights are no numbers any more, at the step where that appears."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as lightning
import torch

from assay.errors import DivergedError


class FiniteWeights(lightning.Callback):
    """Raises DivergedError after the first step that leaves a weight that is not finite.

    It looks at weights alone, which a private training releases with its noise, and at no loss of a row.
    """

    def __init__(self, key: str, value: float, first: int = 0) -> None:
        self._key, self._value, self._first = key, value, first

    def on_train_batch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Looks at every weight."""
        if not all(bool(torch.isfinite(weight).all()) for weight in pl_module.parameters()):
            step = self._first + trainer.global_step
            limit = f"a weight is not finite after step {step}"
            raise DivergedError(self._key, self._value, limit, "the training diverged: lower it")
