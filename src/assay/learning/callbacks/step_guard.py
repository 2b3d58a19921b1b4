"""Sees to it that nothing but noised gradients reaches the parameters of a private training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import BatchSizeFinder, EarlyStopping, LearningRateFinder, ModelCheckpoint
from torch import Tensor
from torch.optim import Optimizer

from assay.errors import AssayError
from assay.gradients.rewrites.whole import instead

_STEERED = (EarlyStopping, ModelCheckpoint)
_TRIED = (LearningRateFinder, BatchSizeFinder)
_CLEAN = "val"  # a monitored number of the validation rows, which are public

Note = list[tuple[str, Tensor, int]]


class StepGuard:
    """Looks at the batch when `training_step` begins, at parameters and buffers when it ends, at gradients before a step.

    In a pass of reduced precision the loss is multiplied by the number of rows before its backward pass: a mean's share of
    a row, rounded, would change with every other row.
    """

    def __init__(self, trainer: Trainer, module: LightningModule, parameters: Mapping[str, Tensor]) -> None:
        self._module, self._names = module, {id(value): name for name, value in parameters.items()}
        self._refuse(trainer)
        self.sums = trainer.precision.endswith("-mixed")
        self._rows = 0
        self._batch: Note = []
        self._state: Note = []
        self._stored: dict[int, tuple[Tensor, int]] = {}
        self._open = ExitStack()
        methods: dict[str, Callable[..., Any]] = {
            "training_step": self._step(module.training_step),
            "on_before_optimizer_step": self._before_step(module.on_before_optimizer_step),
            "configure_gradient_clipping": self._before_step(module.configure_gradient_clipping),
        }
        if self.sums and not module.automatic_optimization:
            methods["manual_backward"] = self._backward(module.manual_backward)
        self._open.enter_context(instead(module, **methods))

    def close(self) -> None:
        """Gives the module its own methods back."""
        self._open.close()

    def begin(self, batch: Sequence[Tensor]) -> None:
        """Notes what may not change from here on: the batch until `training_step`, parameters and buffers through it."""
        self._rows = len(batch[0])
        self._batch = [("batch", part, part._version) for part in batch]
        module = self._module
        named = [*module.named_parameters(), *module.named_buffers()]
        self._state = [(name, value, value._version) for name, value in named]

    def end(self) -> None:
        """Raises AssayError for a parameter or a buffer that the step wrote on: what it holds of rows bears no noise."""
        self._batch = []
        current: dict[str, Tensor] = dict((*self._module.named_parameters(), *self._module.named_buffers()))
        for name, value, version in self._state:
            if current.get(name) is not value or value._version != version:
                raise AssayError(
                    f"{name}: training_step wrote on it, and what it takes from rows bears no noise (keep no statistics "
                    "of rows in the module, and begin from values that do not depend on them)"
                )

    def store(self, parameters: Mapping[str, Tensor]) -> None:
        """Notes the noised gradients, which the optimizer is to find as they are."""
        self._stored = {}
        for value in parameters.values():
            if value.grad is not None:
                self._stored[id(value)] = (value.grad, value.grad._version)

    def verify(self, optimizer: Optimizer) -> None:
        """Raises AssayError for a gradient that is no noised one, or was changed since it was noised."""
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                gradient_now: Tensor | None = parameter.grad
                if gradient_now is None:
                    continue
                stored, version = self._stored.get(id(parameter), (None, 0))
                if stored is not gradient_now or gradient_now._version != version:
                    name = self._names.get(id(parameter), f"a parameter of shape {tuple(parameter.shape)}")
                    raise AssayError(
                        f"{name}: its gradient is not the noised one (train what the module registers and had set free when "
                        "training began, and leave gradients as they are)"
                    )

    def _step(self, own: Callable[..., Any]) -> Callable[..., Any]:
        def checked(*given: Any, **options: Any) -> Any:
            if not self._batch:  # a pass of the check
                return own(*given, **options)
            for _, part, version in self._batch:
                if part._version != version:
                    raise AssayError(
                        "the batch was changed between the loader and training_step (change rows inside training_step, "
                        "where it is checked that they do not mix)"
                    )
            answer = own(*given, **options)
            if not self.sums or answer is None or not self._module.automatic_optimization:
                return answer
            if isinstance(answer, Mapping):
                return {**answer, "loss": answer["loss"] * self._rows}
            return answer * self._rows

        return checked

    def _backward(self, own: Callable[..., Any]) -> Callable[..., Any]:
        def summed(loss: Tensor, *given: Any, **options: Any) -> Any:
            # a step that optimises by hand calls it where passes are still of reduced precision, which norms and clip are not
            with torch.autocast(loss.device.type, enabled=False):
                return own(loss * self._rows, *given, **options)

        return summed

    def _before_step(self, own: Callable[..., Any]) -> Callable[..., Any]:
        def checked(optimizer: Optimizer, *given: Any, **options: Any) -> Any:
            self.verify(optimizer)
            answer = own(optimizer, *given, **options)
            self.verify(optimizer)
            return answer

        return checked

    def _refuse(self, trainer: Trainer) -> None:
        """Raises AssayError for what would steer the training by numbers without noise, or change what bears it."""
        if trainer.precision == "16-mixed":
            raise AssayError("precision=16-mixed: scales losses, and with them the clip (use bf16-mixed or 32-true)")
        if trainer.gradient_clip_val is not None:
            raise AssayError(
                f"gradient_clip_val={trainer.gradient_clip_val}: the sum bears noise already (leave it out: each row is "
                "clipped to max_grad_norm)"
            )
        monitored = [
            (config.monitor, "a scheduler") for config in trainer.lr_scheduler_configs if config.reduce_on_plateau
        ]
        callbacks: list[Any] = list(trainer.callbacks)  # type: ignore[attr-defined]
        for callback in callbacks:
            if isinstance(callback, _TRIED) or (isinstance(callback, _STEERED) and callback.monitor):
                monitored.append((getattr(callback, "monitor", None), type(callback).__name__))
        for name, kind in monitored:
            if not str(name).startswith(_CLEAN):
                raise AssayError(
                    f"monitor={name}: {kind} would steer by a number of the train rows that bears no noise (monitor one of "
                    "the validation rows, named val...)"
                )
        for name, parameter in self._module.named_parameters():
            if parameter.requires_grad and parameter._backward_hooks:
                raise AssayError(f"{name}: its gradient hook would not be called (remove it)")
