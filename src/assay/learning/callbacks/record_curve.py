"""The course of a training on the valid split."""

from __future__ import annotations

from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor

from assay.learning.modules.supervised import Supervised


class RecordCurve(Callback):
    """Scores a Supervised module on the valid rows every `every` steps and at the end; `rows` holds one dict for each time.

    The valid split is public, so that looking at it costs no privacy beyond that of the steps.

    Example:
        >>> curve = RecordCurve(features, target, every=100)  # doctest: +SKIP
        >>> Trainer(callbacks=[curve]).fit(module, loader)  # doctest: +SKIP
        >>> curve.rows  # doctest: +SKIP
    """

    def __init__(self, features: Tensor, target: Tensor, every: int) -> None:
        self._features, self._target, self._every = features, target, every
        self._steps = 0
        self.rows: list[dict[str, float]] = []

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Scores after every `every`-th whole step."""
        if (batch_idx + 1) % trainer.accumulate_grad_batches:
            return
        self._steps += 1
        if self._steps % self._every == 0:
            self._score(pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Scores the finished training."""
        if not self.rows or self.rows[-1]["step"] != self._steps:
            self._score(pl_module)

    def _score(self, module: LightningModule) -> None:
        if not isinstance(module, Supervised):
            raise TypeError(f"{type(module).__name__}: RecordCurve scores Supervised modules")
        scores = module.scores(self._features.to(module.device), self._target.to(module.device))
        self.rows.append({"step": float(self._steps), **{f"valid_{name}": score for name, score in scores.items()}})

    def state_dict(self) -> dict[str, Any]:
        """Steps seen and scores so far."""
        return {"steps": self._steps, "rows": [dict(row) for row in self.rows]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from an interrupted fit."""
        self._steps, self.rows = int(state_dict["steps"]), list(state_dict["rows"])
