"""Makes a row's clipped gradient a private release: account first, noise second."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor

from assay.learning.callbacks.clip_row_gradients import ClipRowGradients
from assay.learning.callbacks.rounds import RoundCallback
from assay.privacy.ledger import Ledger
from assay.privacy.noise import NoiseSource
from assay.privacy.row_account import RowRelease

if TYPE_CHECKING:
    from assay.privacy.relations import Sensitivity


class ReleaseGradients(RoundCallback):
    """Adds Gaussian noise of deviation `noise_multiplier` * C to each clipped gradient, once the ledger has agreed.

    Guarantee: each call is one Gaussian release of each of its rows, entered in the ledger before the noise is drawn; the
    ledger refuses the release that would exceed its budget. Clipping must come before, with the ledger's sensitivity:
    anything else is refused when the fit starts.

    Example:
        >>> ledger = Ledger(RowAccount(budget, clip.sensitivity, rows=100))  # doctest: +SKIP
        >>> sigma = budget.noise_multiplier(40, clip.sensitivity)  # doctest: +SKIP
        >>> Trainer(callbacks=[clip, ReleaseGradients(noise, sigma, ledger)])  # doctest: +SKIP
    """

    def __init__(self, noise: NoiseSource, noise_multiplier: float, ledger: Ledger[RowRelease]) -> None:
        self.noise, self.noise_multiplier, self.ledger = noise, noise_multiplier, ledger
        self._draw: Callable[[tuple[int, ...]], Tensor] | None = None
        self._order: NDArray[np.int64] | None = None
        self._step = 0

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Refuses a Trainer whose gradients reach this callback unclipped or clipped otherwise than accounted for."""
        callbacks: list[Any] = list(trainer.callbacks)  # type: ignore[attr-defined]
        before = [c for c in callbacks[: callbacks.index(self)] if isinstance(c, RoundCallback)]
        carried: list[Sensitivity] = [c.sensitivity for c in before[-1:] if isinstance(c, ClipRowGradients)]
        if carried != [self.ledger.sensitivity]:  # what is clipped and then changed is no longer clipped
            raise ValueError(
                f"the ledger accounts for {self.ledger.sensitivity}, the gradients carry {carried}: "
                "put a ClipRowGradients with the same norm and relation right before ReleaseGradients"
            )

    def on_round_start(self, module: LightningModule, number: int, order: NDArray[np.int64]) -> None:
        """Opens the round's noise."""
        self._draw, self._order, self._step = self.noise.open_round(number), order, 0

    def on_row_gradient(self, module: LightningModule, gradient: Tensor, rows: Tensor, number: int) -> Tensor:
        """Charges the ledger for every row, then adds the noise."""
        if self._draw is None or self._order is None:
            raise RuntimeError("a release outside a round: the module must announce on_round_start")
        self.ledger.charge(RowRelease(self._order[:, self._step], self.noise_multiplier))
        self._step += 1
        deviation = self.noise_multiplier * self.ledger.sensitivity.max_grad_norm
        return gradient.add(self._draw(tuple(gradient.shape)), alpha=deviation)

    def on_round_end(
        self, module: LightningModule, number: int, order: NDArray[np.int64], marginals: NDArray[np.float64]
    ) -> None:
        """Notes the round in the record."""
        self.ledger.note(round=number, noise_multiplier=self.noise_multiplier, secure=self.noise.secure)

    def state_dict(self) -> dict[str, Any]:
        """The ledger's counts; the noise of a round is named by its number, so it has no state."""
        return self.ledger.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on counting where an interrupted fit stopped."""
        self.ledger.load_state_dict(state_dict)
