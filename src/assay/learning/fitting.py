"""Fits by Lightning's Trainer: in silence, on ready-made batches."""

from __future__ import annotations

import logging
import signal
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pytorch_lightning import LightningModule, Trainer
from torch import Tensor


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
