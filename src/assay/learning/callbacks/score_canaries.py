"""Scores canaries by the noised sums of a private training."""

from __future__ import annotations

from typing import Any

import torch
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor

from assay.errors import AssayError
from assay.gradients import PerSampleGradients
from assay.learning.modules.canaries import WithCanaries
from assay.learning.poisson_loader import PoissonLoader
from assay.privacy.plan import TrainingPlan


class ScoreCanaries(Callback):
    """The attacker who sees every noised sum and knows every row but the canaries.

    `scores` [canaries] are the sums' parts along each canary's direction, over all steps, in clipping norms, less the known
    rows' part. Put it before `PrivateGradients`: known rows are recorded before the batch is, and the noised gradients are
    read once the step is made.

    Example:
        >>> scored = ScoreCanaries(plan)  # doctest: +SKIP
        >>> Trainer(callbacks=[scored, PrivateGradients(plan)], max_epochs=1).fit(module, loader)  # doctest: +SKIP
        >>> scored.scores  # doctest: +SKIP
    """

    def __init__(self, plan: TrainingPlan) -> None:
        self.plan = plan
        self.scores = torch.zeros(0, dtype=torch.float64)
        self._engine: PerSampleGradients | None = None
        self._along = torch.zeros(0)
        self._known: dict[str, Tensor] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Fixes the directions that scores are taken along: the canaries' clipped gradients."""
        if not isinstance(pl_module, WithCanaries):
            raise AssayError(f"{type(pl_module).__name__}: has no canaries to score (train WithCanaries)")
        directions = pl_module.directions
        self._engine = PerSampleGradients(pl_module.network, audit=False)
        self._along = directions.clipped(pl_module.network, self.plan.clipping, "network.")
        if len(self.scores) != directions.count:
            self.scores = torch.zeros(directions.count, dtype=torch.float64)
        self._known = {}

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int) -> None:
        """Adds up the clipped gradients of the batch's known rows; a row that stands in for an empty batch counts as none."""
        features, target, canary = batch
        loader = trainer.train_dataloader
        assert isinstance(loader, PoissonLoader)
        step, part = divmod(batch_idx, loader.parts)
        known = (canary == -1).nonzero()[:, 0]
        if not len(known) or not len(loader.rows_of(loader.first + step, part)):
            return
        assert self._engine is not None
        assert isinstance(pl_module, WithCanaries)
        with torch.enable_grad(), torch.random.fork_rng():
            recorded = self._engine.record(lambda _, *rows: pl_module.losses(*rows), features[known], target[known])
        for name, gradient in recorded.clipped_sum(self.plan.clipping).gradients.items():
            self._known[name] = self._known[name] + gradient if name in self._known else gradient

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Reads the noised mean of a whole step, as the optimizer did."""
        if (batch_idx + 1) % trainer.accumulate_grad_batches:
            return
        assert isinstance(pl_module, WithCanaries)
        expected = self.plan.sampler.expected_batch_size
        rest = {}
        for name, parameter in pl_module.network.named_parameters():
            if parameter.requires_grad:
                assert parameter.grad is not None
                rest[name] = parameter.grad.double() * expected - self._known.get(name, torch.zeros(()).to(parameter))
        norm = self.plan.ledger.sensitivity.max_grad_norm
        self.scores = self.scores + pl_module.directions.scores(rest, self._along) / norm
        self._known = {}

    def state_dict(self) -> dict[str, Any]:
        """Scores so far."""
        return {"scores": self.scores}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on from an interrupted fit."""
        self.scores = state_dict["scores"]
