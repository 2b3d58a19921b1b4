"""Makes the training of any LightningModule private."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor
from torch.optim import Optimizer

from assay.errors import AssayError
from assay.gradients import ClippedSum, PerSampleGradients, Tape
from assay.learning.poisson_loader import PoissonLoader
from assay.privacy.accounting.training import NoisySteps
from assay.privacy.plan import TrainingPlan


class PrivateGradients(Callback):
    """Clips each sample's gradient, adds noise to the sum, and charges the ledger before every step.

    Works with automatic and with manual optimisation (one backward pass for each batch), unchanged modules, and gradient
    accumulation. The batches must come from `private_loader`, and the loss must be the mean over the batch of per-sample
    losses; on the first batch of several `training_step` is called twice more, in evaluation mode and up to its backward
    pass, to check that.

    Guarantee: every optimizer step is one Gaussian release of a Poisson sample's clipped sum, noise of deviation
    `noise_multiplier` * C, divided by the planned batch size, which is public whatever the number of rows. The noise is
    added in double precision and the result rounded to the type of the parameters (float32 or float64), which is
    post-processing. Steps on empty samples are made, and are noise alone. The ledger refuses the step that would exceed
    its budget, before noise is drawn.
    Source: Abadi et al., arXiv 1607.00133, algorithm 1; clipping by book-keeping, arXiv 2210.00038.

    Example:
        >>> plan = plan_training(rows=len(x), batch_size=256, steps=1000, epsilon=4, delta=1e-5)  # doctest: +SKIP
        >>> private = PrivateGradients(plan)  # doctest: +SKIP
        >>> Trainer(callbacks=[private], max_epochs=1).fit(module, private_loader(plan, (x, y)))  # doctest: +SKIP
    """

    def __init__(self, plan: TrainingPlan) -> None:
        self.plan, self.steps = plan, 0
        self._engine: PerSampleGradients | None = None
        self._loader: PoissonLoader | None = None
        self._part = 0
        self._sum: dict[str, Tensor] = {}
        self._tape: Tape | None = None
        self._open = ExitStack()
        self._checked = False

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Refuses what has no account: another loader or sampler, parts that do not make up a step, several processes."""
        loader = trainer.train_dataloader
        if not isinstance(loader, PoissonLoader):
            raise AssayError(
                f"{type(loader).__name__}: its batches are no Poisson samples, which the account is for "
                "(use private_loader(plan, tensors))"
            )
        if not loader.sampler.serves(self.plan.sampler):
            raise AssayError("the loader's sampler is not that of the plan (use private_loader(plan, tensors))")
        if trainer.accumulate_grad_batches != loader.parts:
            raise AssayError(
                f"accumulate_grad_batches={trainer.accumulate_grad_batches}: the loader cuts each step's batch into "
                f"{loader.parts} (make them equal, so that a step is one sample)"
            )
        if trainer.world_size != 1:
            raise AssayError(
                f"world_size={trainer.world_size}: each process would draw noise of its own (use devices=1)"
            )
        for name, parameter in pl_module.named_parameters():
            if parameter.requires_grad and parameter.dtype not in (torch.float32, torch.float64):
                raise AssayError(f"{name}: is of type {parameter.dtype}, too coarse to sum and noise (use float32)")
        self._engine = PerSampleGradients(pl_module, fallback=False)
        limit, accounted = self.plan.clipping.bound(self._layers()), self.plan.ledger.sensitivity.max_grad_norm
        if limit > accounted * (1 + 1e-12):
            raise AssayError(f"max_grad_norm={limit:g}: the ledger accounts for {accounted:g} (make them equal)")
        self._loader, self._part, self._sum = loader, 0, {}
        self.steps = loader.first

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Starts to record the batch's forward pass."""
        if self._engine is None or self._loader is None:
            raise RuntimeError("a batch before on_train_start")
        samples = max(1, self._real())
        if samples != len(batch[0]):
            raise AssayError(f"batch of {len(batch[0])}: the sampler's has {samples} (pass batches on as they come)")
        if not self._checked and samples > 1:
            self._check_loss(pl_module, batch, samples)
        pl_module.zero_grad(
            set_to_none=True
        )  # the step before is made; a recording refuses a .grad that changes under it
        self._tape = self._enter(self._engine.recording(samples))

    def on_after_backward(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Clips what the backward pass recorded and adds it to the step's sum."""
        if self._tape is None or self._loader is None:
            raise AssayError(
                "a second backward pass for one batch: each batch is one release (call manual_backward once)"
            )
        tape, self._tape = self._tape, None
        self._open.close()
        real = self._real()
        # Lightning divides the loss by the number of parts when it optimises automatically
        scale = max(1, real) * (self._loader.parts if pl_module.automatic_optimization else 1)
        recorded = tape.recorded(float(scale))
        if real == 0:
            recorded = recorded.take(torch.zeros(0, dtype=torch.long))
        self._add(recorded.clipped_sum(self.plan.clipping))
        self._part = (self._part + 1) % self._loader.parts

    def on_before_optimizer_step(self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer) -> None:
        """Charges the ledger, adds the noise and hands the optimizer the private mean."""
        if self._engine is None or self._loader is None:
            raise RuntimeError("an optimizer step before on_train_start")
        if self._part != 0 or not self._sum:
            raise AssayError("an optimizer step before the whole of its batch: step once for each sample")
        plan, rate = self.plan, self.plan.sampler.sample_rate
        plan.ledger.charge(NoisySteps(plan.noise_multiplier, plan.sampler))
        draw = plan.noise.open_round(self.steps)
        self._engine.store({name: self._noised_mean(total, draw) for name, total in self._sum.items()})
        self._sum = {}
        self.steps += 1
        if self.steps % plan.note_every == 0 or self.steps == self._loader.steps:
            facts = {"step": self.steps, "noise_multiplier": plan.noise_multiplier, "sample_rate": rate}
            plan.ledger.note(noise=plan.noise.kind, **facts)

    def _noised_mean(self, total: Tensor, draw: Callable[[tuple[int, ...]], Tensor]) -> Tensor:
        """The noised sum over the expected batch size, computed in double precision, in the type of the sum."""
        device = "cpu" if total.device.type == "mps" else total.device  # which has no double precision
        deviation = self.plan.noise_multiplier * self.plan.ledger.sensitivity.max_grad_norm  # of what is accounted for
        noised = total.to(device, torch.float64).add(draw(tuple(total.shape)).to(device), alpha=deviation)
        return (noised / self.plan.sampler.expected_batch_size).to(total)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Leaves the module as it was."""
        self._open.close()
        self._tape = None

    def state_dict(self) -> dict[str, Any]:
        """Steps made, and the ledger's counts; the noise of a step is named by its number, so it has no state."""
        return {"steps": self.steps, "ledger": self.plan.ledger.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on counting where an interrupted fit stopped."""
        self.steps = int(state_dict["steps"])
        self.plan.ledger.load_state_dict(state_dict["ledger"])

    def _layers(self) -> list[str]:
        if self._engine is None:
            raise RuntimeError("no engine yet")
        names = [name for name, p in self._engine.model.named_parameters() if p.requires_grad]
        return list(dict.fromkeys(name.rpartition(".")[0] for name in names))

    def _real(self) -> int:
        """Rows that count in the batch under way."""
        if self._loader is None:
            raise RuntimeError("no loader yet")
        return len(self._loader.rows_of(self.steps, self._part))

    def _enter(self, recording: AbstractContextManager[Tape]) -> Tape:
        return self._open.enter_context(recording)

    def _add(self, clipped: ClippedSum) -> None:
        for name, gradient in clipped.gradients.items():
            self._sum[name] = self._sum[name] + gradient if name in self._sum else gradient

    def _check_loss(self, module: LightningModule, batch: Any, samples: int) -> None:
        """The first sample's gradient must be the same in the batch as alone, up to rounding."""
        if self._engine is None:
            raise RuntimeError("no engine yet")
        flags = [(part, part.training) for part in module.modules()]
        module.eval()  # dropout would draw other masks
        try:
            together = self._gradient_of_first(module, batch, samples)
            alone = self._gradient_of_first(module, [part[:1] for part in batch], 1)
        finally:
            for part, flag in flags:
                part.training = flag
        size = torch.stack([value.square().sum() for value in alone.values()]).sum().sqrt()
        gap = torch.stack([(together[name] - value).square().sum() for name, value in alone.items()]).sum().sqrt()
        if not gap <= 1e-3 * size + 1e-6:
            raise AssayError(
                f"{type(module).__name__}.training_step: its loss is no mean over samples of a per-sample loss, since one "
                f"sample's gradient changes by {float(gap / size):.2g} of its size with the batch it is in "
                "(average a loss that depends on one sample alone)"
            )
        self._checked = True

    def _gradient_of_first(self, module: LightningModule, batch: Any, samples: int) -> dict[str, Tensor]:
        if self._engine is None:
            raise RuntimeError("no engine yet")
        with torch.enable_grad(), self._engine.recording(samples) as tape:
            loss = _loss_of_step(module, tuple(batch))
            loss.backward()  # type: ignore[no-untyped-call]
        first = torch.zeros(samples, dtype=loss.dtype, device=loss.device)
        first[0] = 1.0
        return tape.recorded(float(samples)).weighted_sum(first)


class _Backward(BaseException):
    """Carries the loss out of a `training_step` that has come to its backward pass; no `except Exception` holds it up."""

    def __init__(self, loss: Tensor) -> None:
        self.loss = loss


def _loss_of_step(module: LightningModule, batch: Any) -> Tensor:
    """The loss that `training_step` runs backward on; manual optimisation is left there, so that it steps on nothing."""

    def leave(loss: Tensor, *_: Any, **__: Any) -> None:
        raise _Backward(loss)

    own, answer = vars(module), None
    own["manual_backward"] = leave
    try:
        answer = module.training_step(batch, 0)
    except _Backward as reached:
        return reached.loss
    finally:
        del own["manual_backward"]
    loss = answer["loss"] if isinstance(answer, Mapping) else answer
    if not module.automatic_optimization:
        raise AssayError(
            f"{type(module).__name__}.training_step: made no backward pass to check (call manual_backward once)"
        )
    if not isinstance(loss, Tensor):
        raise AssayError(f"{type(module).__name__}.training_step: returns no loss to check (return its mean loss)")
    return loss
