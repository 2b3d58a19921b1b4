"""The best state of a training instead of the last one."""

from __future__ import annotations

import math
from collections.abc import Callable

from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor


class KeepBest(Callback):
    """Scores the module after each epoch and, at the end, puts back the state with the lowest score.

    `score` is a number to be small, e.g. a loss on rows that were held out; a NaN never wins. The states stay in memory.
    `best` is the lowest score and `epoch` its place, counted from 1; 0 when no score was a number.

    Example:
        >>> best = KeepBest(lambda module: module.loss(features, target))  # doctest: +SKIP
        >>> Trainer(callbacks=[best]).fit(module, loader)  # doctest: +SKIP
        >>> best.best, best.epoch  # doctest: +SKIP
    """

    def __init__(self, score: Callable[[LightningModule], float]) -> None:
        self._score = score
        self._state: dict[str, Tensor] | None = None
        self.best, self.epoch = math.inf, 0

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keeps a copy of the state when it is the best so far."""
        score = self._score(pl_module)
        if score < self.best:
            self.best, self.epoch = score, trainer.current_epoch + 1
            self._state = {name: value.detach().clone() for name, value in pl_module.state_dict().items()}

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Goes back to the best state."""
        if self._state is not None:
            pl_module.load_state_dict(self._state)
