"""Moves a progress bar by finished rounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer


class ShowRounds(Callback):
    """Calls `advance(rounds)` after each batch of rounds.

    Example:
        >>> with progress.task("valuing", total=40) as bar:  # doctest: +SKIP
        ...     Trainer(callbacks=[ShowRounds(bar.advance)])
    """

    def __init__(self, advance: Callable[[int], object]) -> None:
        self._advance = advance

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """A batch is a tensor of round numbers."""
        self._advance(len(batch))
