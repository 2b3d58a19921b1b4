"""Lightning's Trainer as the user configures it."""

from __future__ import annotations

import logging
import signal
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor


@dataclass(frozen=True)
class TrainerSpec:
    """Where and how exactly to compute; `checkpoint_seconds` is how much work a killed run may lose."""

    accelerator: str = "cpu"
    devices: int = 1
    precision: int = 64
    threads: int = 1
    checkpoint_seconds: float = 15.0
    name: str = "cpu"

    @property
    def dtype(self) -> torch.dtype:
        """Of all tensors of a fit."""
        return torch.float64 if self.precision == 64 else torch.float32

    @property
    def device(self) -> torch.device:
        """Where noise is wanted: the first device of the accelerator."""
        if self.accelerator in ("gpu", "cuda"):
            return torch.device("cuda")
        return torch.device("mps" if self.accelerator == "mps" else "cpu")

    @property
    def fast_precision(self) -> Literal["bf16-mixed", "32-true"]:
        """Lightning's precision for a network whose last bits do not matter: bfloat16 products on a GPU, else single."""
        return "bf16-mixed" if self.accelerator in ("gpu", "cuda") else "32-true"

    def build(
        self,
        callbacks: Sequence[Callback],
        max_epochs: int,
        accumulate_grad_batches: int = 1,
        gradient_clip_val: float | None = None,
        precision: Literal["bf16-mixed", "32-true"] | None = None,
    ) -> Trainer:
        """A silent Trainer that writes nothing by itself: runs, checkpoints and bars are ours.

        Without `precision` the module computes in the type of its own tensors.
        """
        torch.set_num_threads(self.threads)
        return Trainer(
            accelerator=self.accelerator,
            devices=self.devices,
            max_epochs=max_epochs,
            accumulate_grad_batches=accumulate_grad_batches,
            gradient_clip_val=gradient_clip_val,
            precision=precision,
            callbacks=list(callbacks),
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            barebones=False,
        )


@dataclass(frozen=True)
class Batches:
    """A sequence of ready-made batches as the Trainer wants them; unlike a DataLoader it draws nothing from the global RNG."""

    parts: Sequence[Tensor]

    def __len__(self) -> int:
        return len(self.parts)

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.parts)


def carry_out_fit(trainer: Trainer, module: LightningModule, batches: Iterable[Any]) -> None:
    """Fits in silence; an interrupt stays an interrupt, where Lightning ends the process and leaves SIGINT switched off."""
    main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT) if main else None
    with quiet():
        try:
            trainer.fit(module, train_dataloaders=batches)
        except SystemExit as end:
            if handler is not None:
                signal.signal(signal.SIGINT, handler)
            raise KeyboardInterrupt from end


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps back what Lightning says of loops that mean to have no optimizer, no workers and no logger."""
    logger = logging.getLogger("pytorch_lightning")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="pytorch_lightning")
            yield
    finally:
        logger.setLevel(level)
