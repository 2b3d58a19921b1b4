"""Makes the training of any LightningModule private."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor
from torch.optim import Optimizer

from assay.errors import AssayError
from assay.gradients import ClippedSum, PerSampleGradients, Tape
from assay.learning.callbacks.loss_watch import LossWatch
from assay.learning.callbacks.row_check import RowCheck
from assay.learning.callbacks.step_guard import StepGuard
from assay.learning.poisson_loader import PoissonLoader
from assay.privacy.accounting.training import NoisySteps
from assay.privacy.plan import TrainingPlan


class PrivateGradients(Callback):
    """Clips each sample's gradient, adds noise to the sum, and charges the ledger before every step.

    Works with automatic and with manual optimisation (one backward pass for each batch), unchanged modules, and gradient
    accumulation. The batches must come from `private_loader` and reach `training_step` as they are, and the loss must be
    the mean over the batch of per-sample losses. That a row's gradient depends on that row alone is checked on the first
    batch of several, in training and in evaluation mode, and again on real batches after 1, 2, 4, 8, ... steps; mixing that
    shows on none of them is not seen.
    `Trainer(...).fit(..., ckpt_path=...)` goes on where a checkpoint stopped, to the bit; nothing else is to be given.

    Guarantee: where rows do not mix, every optimizer step is one Gaussian release of a Poisson sample's clipped sum,
    noise of deviation `noise_multiplier` * C, divided by the planned batch size, which is public whatever the number of
    rows. The noise is added in double precision and the result rounded to the type of the parameters (float32 or
    float64), which is post-processing. Steps on empty samples are made, and are noise alone. The ledger refuses the step
    that would exceed its budget, before noise is drawn.
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
        self._check: RowCheck | None = None
        self._guard: StepGuard | None = None
        self._checked = False
        self._random: dict[str, Any] | None = None

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
        if trainer.max_epochs != 1:
            raise AssayError(
                f"max_epochs={trainer.max_epochs}: all planned steps are one epoch of the loader, and more would repeat its "
                "samples (max_epochs=1; plan more steps instead)"
            )
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
        self._engine = PerSampleGradients(pl_module, audit=False, entry="training_step")
        self._check = RowCheck(self._engine)
        limit, accounted = self.plan.clipping.bound(self._layers()), self.plan.ledger.sensitivity.max_grad_norm
        if limit > accounted * (1 + 1e-12):
            raise AssayError(f"max_grad_norm={limit:g}: the ledger accounts for {accounted:g} (make them equal)")
        self._loader, self._part, self._sum = loader, 0, {}
        loader.first = self.steps = max(self.steps, loader.first)  # the loader follows the steps that were made
        made = sum(steps.count for steps in self.plan.ledger.account.history)  # type: ignore[attr-defined]
        if self.steps != made or self.steps >= loader.steps:
            raise AssayError(
                f"plan: {made} of its {loader.steps} steps are made, and this training begins at step {self.steps}, with the "
                "same samples and noise (make a new plan_training for each training)"
            )
        self._guard = StepGuard(trainer, pl_module, self._engine.parameters)
        _put_back(self._random)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Starts to record the batch's forward pass."""
        if self._engine is None or self._loader is None:
            raise RuntimeError("a batch before on_train_start")
        samples = max(1, self._real())
        self._refuse_other_rows(batch, samples)
        assert self._guard is not None
        if samples > 1 and self._check is not None:
            with LossWatch():
                if not self._checked:
                    self._check.thoroughly(pl_module, batch, batch_idx)
                    self._checked = True
                elif self._part == 0 and _is_due(self.steps):
                    self._check.briefly(pl_module, batch, batch_idx)
        # the step before is made; a recording refuses a .grad that changes under it
        pl_module.zero_grad(set_to_none=True)
        self._open.enter_context(LossWatch())
        self._tape = self._enter(self._engine.recording(samples))
        self._tape.listening = False
        self._guard.begin(batch)

    def on_before_backward(self, trainer: Trainer, pl_module: LightningModule, loss: Tensor) -> None:
        """From here on gradients are those of the loss; what a step differentiates before is its own affair."""
        if self._tape is not None:
            self._tape.listening = True

    def on_after_backward(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Clips what the backward pass recorded and adds it to the step's sum."""
        if self._tape is None or self._loader is None:
            raise AssayError(
                "a second backward pass for one batch: each batch is one release (call manual_backward once)"
            )
        assert self._guard is not None
        tape, self._tape = self._tape, None
        self._open.close()
        self._guard.end()
        real = self._real()
        # Lightning divides the loss by the number of parts when it optimises automatically
        rows = 1 if self._guard.sums else max(1, real)
        scale = rows * (self._loader.parts if pl_module.automatic_optimization else 1)
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
        assert self._guard is not None
        self._guard.store(self._engine.parameters)
        self._sum = {}
        self.steps += 1
        if self.steps % plan.note_every == 0 or self.steps == self._loader.steps:
            facts = {"step": self.steps, "noise_multiplier": plan.noise_multiplier, "sample_rate": rate}
            plan.ledger.note(noise=plan.noise.kind, **facts)

    def _refuse_other_rows(self, batch: Any, samples: int) -> None:
        """Raises AssayError for a batch that is not what the loader made of the sampler's rows."""
        assert self._loader is not None
        index = torch.as_tensor(self._loader.rows_of(self.steps, self._part))
        rows = index if len(index) else torch.zeros(1, dtype=torch.long)
        tensors = self._loader.tensors
        same = isinstance(batch, Sequence) and len(batch) == len(tensors)
        same = same and all(isinstance(part, Tensor) and len(part) == samples for part in batch)
        if not same or not all(_equal(part, tensor, rows) for part, tensor in zip(batch, tensors, strict=True)):
            raise AssayError(
                f"step {self.steps}: the batch is not the {samples} rows that the sampler drew (pass batches on as the loader "
                "makes them, and change rows inside training_step, where it is checked that they do not mix)"
            )

    def _noised_mean(self, total: Tensor, draw: Callable[[tuple[int, ...]], Tensor]) -> Tensor:
        """The noised sum over the expected batch size, computed in double precision, in the type of the sum."""
        device = "cpu" if total.device.type == "mps" else total.device  # which has no double precision
        deviation = self.plan.noise_multiplier * self.plan.ledger.sensitivity.max_grad_norm  # of what is accounted for
        noised = total.to(device, torch.float64).add(draw(tuple(total.shape)).to(device), alpha=deviation)
        return (noised / self.plan.sampler.expected_batch_size).to(total)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Leaves the module as it was."""
        self._close()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leaves the module as it was."""
        self._close()

    def _close(self) -> None:
        self._open.close()
        self._tape = None
        if self._guard is not None:
            self._guard.close()
            self._guard = None

    def state_dict(self) -> dict[str, Any]:
        """Steps made, the ledger's counts, and the state of torch's random numbers, from which a module draws its masks.

        The noise of a step is named by its number and has no state. Raises AssayError between the parts of a step, whose
        sum bears no noise yet.
        """
        if self._part != 0:
            raise AssayError(
                "a checkpoint between the parts of a step would hold a sum without noise (save after steps)"
            )
        random = {"torch": torch.random.get_rng_state()}
        if torch.cuda.is_available():
            random["cuda"] = torch.cuda.get_rng_state_all()  # type: ignore[assignment]
        return {"steps": self.steps, "ledger": self.plan.ledger.state_dict(), "random": random, "plan": self._facts()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on counting where an interrupted fit stopped."""
        saved = state_dict.get("plan", self._facts())
        if saved != self._facts():
            raise AssayError(f"plan: the checkpoint is of another one (noise, rate, clip and relation {saved})")
        self.steps = int(state_dict["steps"])
        self.plan.ledger.load_state_dict(state_dict["ledger"])
        self._random = state_dict.get("random")

    def _facts(self) -> dict[str, Any]:
        """Facts that a plan must have in common with the plan of a checkpoint."""
        plan = self.plan
        facts = {
            "noise_multiplier": plan.noise_multiplier,
            "sample_rate": plan.sampler.sample_rate,
            "steps": plan.steps,
        }
        return facts | {
            "max_grad_norm": plan.ledger.sensitivity.max_grad_norm,
            "relation": str(plan.ledger.budget.relation),
        }

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


def _is_due(step: int) -> bool:
    """True for steps at which rows are looked at again: powers of two, and every thousandth."""
    return step > 0 and (step & (step - 1) == 0 or step % 1000 == 0)


def _equal(part: Tensor, tensor: Tensor, rows: Tensor) -> bool:
    expected = tensor[rows.to(tensor.device)].to(part.device, part.dtype)
    if part.shape != expected.shape:
        return False
    return torch.equal(part, expected) or bool(((part == expected) | ((part != part) & (expected != expected))).all())


def _put_back(random: dict[str, Any] | None) -> None:
    """Random numbers go on where the checkpoint stopped."""
    if random is None:
        return
    torch.random.set_rng_state(random["torch"])
    if "cuda" in random and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(random["cuda"])
