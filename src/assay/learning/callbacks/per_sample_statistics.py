"""Size and direction of each sample's gradient, while a network trains."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import Callback, LightningModule, Trainer

from assay.errors import AssayError
from assay.gradients import PerSampleGradients, Tape
from assay.learning.callbacks.private_gradients import PrivateGradients

if TYPE_CHECKING:
    import pandas as pd


class PerSampleStatistics(Callback):
    """Records loss, and norm and alignment of the gradient, of every sample by id, at no second backward pass.

    `ids(batch, batch_idx)` gives the positions [N] of a batch's samples, from 0 to `rows` - 1. The loss must be the mean over
    the batch of per-sample losses (PerSampleGradients says what else); the optimizer steps along the same mean gradient as
    without this callback. Alignment is the cosine with the mean gradient of the others in the batch. Losses
    are those that the module leaves in `sample_losses` [N], as Supervised does; without them the column stays empty.

    What it records is a function of single rows: it is refused beside PrivateGradients, whose account does not cover it.

    Example:
        >>> statistics = PerSampleStatistics(1_000, ids=lambda batch, place: batch[2])  # doctest: +SKIP
        >>> Trainer(callbacks=[statistics]).fit(module, loader)  # doctest: +SKIP
        >>> statistics.table()  # doctest: +SKIP
    """

    def __init__(self, rows: int, ids: Callable[[Any, int], NDArray[np.int64]]) -> None:
        self._ids = ids
        self._times = np.zeros(rows, dtype=np.int64)
        self._norms, self._cosines, self._losses = np.zeros(rows), np.zeros(rows), np.zeros(rows)
        self._engine: PerSampleGradients | None = None
        self._tape: Tape | None = None
        self._positions = np.zeros(0, dtype=np.int64)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Attaches to the module; refuses what would be counted wrongly."""
        if any(isinstance(callback, PrivateGradients) for callback in trainer.callbacks):  # type: ignore[attr-defined]
            raise AssayError(
                "PerSampleStatistics: reads single rows outside the account (leave it out of private training)"
            )
        if trainer.accumulate_grad_batches != 1:
            raise AssayError(
                f"accumulate_grad_batches={trainer.accumulate_grad_batches}: PerSampleStatistics needs a step for each batch"
            )
        self._engine = PerSampleGradients(pl_module, fallback=False)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Starts to record the forward pass."""
        if self._engine is None:
            raise RuntimeError("a batch before on_train_start")
        pl_module.zero_grad(set_to_none=True)
        self._positions = np.asarray(self._ids(batch, batch_idx))
        self._tape = self._engine.recording(len(self._positions)).__enter__()

    def on_after_backward(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Reads the statistics and gives the optimizer the mean gradient."""
        if self._tape is None or self._engine is None:
            raise AssayError("a second backward pass for one batch (call manual_backward once)")
        tape, self._tape = self._tape, None
        tape.__exit__(None, None, None)
        samples = len(self._positions)
        recorded = tape.recorded(float(samples))
        np.add.at(self._times, self._positions, 1)
        np.add.at(self._norms, self._positions, recorded.norms().double().cpu().numpy())
        losses = getattr(pl_module, "sample_losses", None)
        each = np.nan if losses is None else losses.double().cpu().numpy()
        np.add.at(self._losses, self._positions, each)
        if samples > 1:
            cosines = torch.nan_to_num(recorded.leave_one_out().cosines).double().cpu().numpy()
            np.add.at(self._cosines, self._positions, cosines)
        self._engine.store(recorded.mean())

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Leaves the module as it was."""
        if self._tape is not None:
            tape, self._tape = self._tape, None
            tape.__exit__(type(exception), exception, None)

    def table(self) -> pd.DataFrame:
        """Columns position, times (met in a batch), loss, gradient_norm and alignment (means over those times, else NaN)."""
        import pandas as pd

        with np.errstate(invalid="ignore", divide="ignore"):
            losses, norms, cosines = (total / self._times for total in (self._losses, self._norms, self._cosines))
        columns = {"position": np.arange(len(self._times)), "times": self._times}
        return pd.DataFrame({**columns, "loss": losses, "gradient_norm": norms, "alignment": cosines})

    def state_dict(self) -> dict[str, Any]:
        """Sums and counts."""
        arrays = {"times": self._times, "norms": self._norms, "cosines": self._cosines, "losses": self._losses}
        return {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from an interrupted fit."""
        self._times, self._norms, self._cosines, self._losses = (
            state_dict[name].numpy().copy() for name in ("times", "norms", "cosines", "losses")
        )
