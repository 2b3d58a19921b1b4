"""Saves minibatch training between steps, and takes it up again where it stopped."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer

from assay.learning.checkpoint import load_state, save_state
from assay.learning.poisson_loader import PoissonLoader


class SaveSteps(Callback):
    """Writes module, optimizers and the callbacks before it every `seconds` seconds and at the end, after whole steps only.

    Everything random is named by its step, so that a resumed training ends in the same bytes as an undisturbed one.
    `resume` before the fit sets the loader to the step that is next.

    Example:
        >>> save = SaveSteps(Path("steps.pt"), seconds=15)  # doctest: +SKIP
        >>> save.resume(module, callbacks, loader)  # doctest: +SKIP
        >>> Trainer(callbacks=[*callbacks, save], accumulate_grad_batches=loader.parts).fit(module, loader)  # doctest: +SKIP
    """

    def __init__(self, path: Path | None, seconds: float) -> None:
        self.path, self.seconds = path, seconds
        self._saved, self._steps = time.monotonic(), 0
        self._optimizers: list[dict[str, Any]] | None = None

    def resume(self, module: LightningModule, callbacks: list[Callback], loader: PoissonLoader) -> int:
        """Puts back a saved state, if there is one, and returns the number of steps it holds."""
        state = load_state(self.path)
        if state is not None:
            module.load_state_dict(state["weights"])
            for callback, saved in zip(callbacks, state["callbacks"], strict=True):
                callback.load_state_dict(saved)
            self._optimizers, loader.first = state["optimizers"], int(state["steps"])
        return loader.first

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Optimizers exist from here on: gives them the state they were saved with."""
        self._steps = trainer.train_dataloader.first if isinstance(trainer.train_dataloader, PoissonLoader) else 0
        if self._optimizers is not None:
            for optimizer, saved in zip(trainer.optimizers, self._optimizers, strict=True):
                optimizer.load_state_dict(saved)
            self._optimizers = None

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Saves when a step is whole and the last save is older than `seconds`."""
        if (batch_idx + 1) % trainer.accumulate_grad_batches:
            return
        self._steps += 1
        if time.monotonic() - self._saved >= self.seconds:
            self._save(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Saves the finished training, which keeps secure noise from being drawn twice."""
        self._save(trainer, pl_module)

    def _save(self, trainer: Trainer, module: LightningModule) -> None:
        if self.path is None:
            return
        callbacks: list[Callback] = list(trainer.callbacks)  # type: ignore[attr-defined]
        callbacks = callbacks[: callbacks.index(self)]
        state = {"steps": self._steps, "weights": module.state_dict()}
        state["callbacks"] = [callback.state_dict() for callback in callbacks]
        state["optimizers"] = [optimizer.state_dict() for optimizer in trainer.optimizers]
        save_state(self.path, state)
        self._saved = time.monotonic()
