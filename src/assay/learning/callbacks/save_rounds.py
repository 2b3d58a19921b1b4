"""Saves a fit between batches, so that a killed run loses seconds and not hours."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer

from assay.learning.checkpoint import load_state, save_state
from assay.runs.cost import Cost, Meter


class SaveRounds(Callback):
    """Writes the state of the module and of all callbacks every `seconds` seconds and at the end, atomically.

    The state says after which round it was taken; everything random is named by its round, so that a resumed fit ends in the
    same bytes whenever it was interrupted. The ledger's counts are part of the state. The save at the end keeps a run with
    secure noise, stopped after its fit, from making its releases a second time.

    Example:
        >>> save = SaveRounds(Path("rounds.pt"), seconds=15)  # doctest: +SKIP
        >>> done = save.resume(module, callbacks)  # doctest: +SKIP
        >>> Trainer(callbacks=[*callbacks, save]).fit(module, batches_after(done))  # doctest: +SKIP
    """

    def __init__(self, path: Path | None, seconds: float) -> None:
        self.path, self.seconds = path, seconds
        self._earlier = Cost()
        self._meter, self._saved, self._done = Meter(), time.monotonic(), 0

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Saves when the last save is older than `seconds`."""
        self._done = int(batch[-1])
        if time.monotonic() - self._saved >= self.seconds:
            self._save(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Saves the finished fit."""
        self._save(trainer, pl_module)

    def _save(self, trainer: Trainer, module: LightningModule) -> None:
        if self.path is None:
            return
        callbacks: list[Callback] = [c for c in trainer.callbacks if c is not self]  # type: ignore[attr-defined]
        cost = self.cost()
        state = {"done": self._done, "weights": module.state_dict(), "cost": [cost.seconds, cost.cpu_seconds]}
        state["callbacks"] = [callback.state_dict() for callback in callbacks]
        save_state(self.path, state)
        self._saved = time.monotonic()

    def cost(self) -> Cost:
        """Seconds and processor seconds of this fit, those of its interrupted attempts included."""
        return self._earlier.plus(self._meter.cost())

    def resume(self, module: LightningModule, callbacks: list[Callback]) -> int:
        """Puts back a saved state, if there is one, and returns the last round it holds (0: none)."""
        state = load_state(self.path)
        if state is None:
            return 0
        module.load_state_dict(state["weights"])
        for callback, saved in zip(callbacks, state["callbacks"], strict=False):
            callback.load_state_dict(saved)
        self._earlier = Cost(*state["cost"])
        return int(state["done"])
