"""Lightning's Trainer as the user configures it; torch is imported only to build one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from assay.config.limits import Limit, at_least
from assay.errors import InputError

if TYPE_CHECKING:
    import pytorch_lightning as lightning
    import torch

    from assay.config import Choices


MOST_THREADS = 1024
_DRIVERS = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/kfd", "/dev/dxg")  # of CUDA, ROCm, and CUDA below WSL

Threads = Annotated[
    int,
    Limit(lambda count: 1 <= count <= MOST_THREADS, f"must be from 1 to {MOST_THREADS}", "1 repeats on any machine"),
]


@dataclass(frozen=True)
class Trainer:
    """Device, precision and threads of one process; a killed run may lose the work of `checkpoint_seconds`."""

    accelerator: Literal["cpu", "gpu", "cuda", "mps"] = "cpu"
    precision: Literal[32, 64] = 64
    threads: Threads = 1
    checkpoint_seconds: Annotated[float, at_least(0, "how much work a killed run may lose")] = 15.0
    name: str = "cpu"

    def check(self, run: Choices) -> None:
        """Raises InputError for a precision that the accelerator does not have."""
        if self.accelerator == "mps" and self.precision == 64:
            limit = "trainer.accelerator=mps has no double precision"
            raise InputError("trainer.precision", self.precision, limit, "use trainer.precision=32")

    def check_machine(self) -> None:
        """Raises InputError, without torch, for an accelerator of which this machine shows no sign."""
        if self.accelerator != "cpu" and not any(map(Path.exists, map(Path, _DRIVERS))) and sys.platform == "linux":
            raise self._no_device()

    @property
    def dtype(self) -> torch.dtype:
        """Type of all tensors of a fit."""
        import torch

        return torch.float64 if self.precision == 64 else torch.float32

    @property
    def device(self) -> torch.device:
        """Device of the accelerator, where noise is drawn too; InputError on a machine without it."""
        import torch

        if self.accelerator == "cpu":
            return torch.device("cpu")
        if self.accelerator != "mps" and torch.cuda.is_available():
            return torch.device("cuda")
        if self.accelerator != "cuda" and torch.backends.mps.is_available():
            return torch.device("mps")
        raise self._no_device()

    def _no_device(self) -> InputError:
        limit = "torch can use no such device on this machine"
        return InputError("trainer.accelerator", self.accelerator, limit, "use trainer=cpu")

    @property
    def fast_precision(self) -> Literal["bf16-mixed", "32-true"]:
        """Lightning's precision for a network whose last bits do not matter: bfloat16 products on a GPU, else single."""
        return "bf16-mixed" if self.accelerator in ("gpu", "cuda") else "32-true"

    def build(
        self,
        callbacks: Sequence[lightning.Callback],
        max_epochs: int,
        accumulate_grad_batches: int = 1,
        gradient_clip_val: float | None = None,
        precision: Literal["bf16-mixed", "32-true"] | None = None,
    ) -> lightning.Trainer:
        """A silent Trainer on one device that writes nothing: runs, checkpoints and bars are ours.

        Without `precision` the module computes in the type of its own tensors. InputError as `device`.
        """
        import pytorch_lightning as lightning
        import torch

        torch.set_num_threads(self.threads)
        return lightning.Trainer(
            accelerator=self.device.type,
            devices=1,
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
class AcceleratedTrainer(Trainer):
    """The same on an accelerator, in single precision."""

    accelerator: Literal["cpu", "gpu", "cuda", "mps"] = "gpu"
    precision: Literal[32, 64] = 32
    checkpoint_seconds: Annotated[float, at_least(0, "how much work a killed run may lose")] = 60.0
    name: str = "gpu"
