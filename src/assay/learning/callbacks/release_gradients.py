"""Makes a row's clipped gradient a private release: account first, noise second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor

from assay.learning.callbacks.clip_row_gradients import ClipRowGradients
from assay.learning.callbacks.rounds import RoundCallback
from assay.privacy.ledger import Ledger
from assay.privacy.noise.sources import NoiseSource
from assay.privacy.rows.account import RowRelease

if TYPE_CHECKING:
    from assay.privacy.relations import Sensitivity


class OpenRound(NamedTuple):
    """The noise of a round, its rows [R] step by step, and its noise multiplier."""

    draw: Callable[[tuple[int, ...]], Tensor]
    rows: Iterator[NDArray[np.int64]]
    noise_multiplier: float


class ReleaseGradients(RoundCallback):
    """Adds Gaussian noise of deviation `noise_multiplier` * C to each clipped gradient, once the ledger has agreed.

    `noise_multiplier` is one number, or one for each round [k]. Rounds that are walked at the same time (a wave) each have
    lanes of their own, and noise by their own number, so that a release is the same in a wave as by itself.

    Guarantee: each call is one Gaussian release of each of its rows, entered in the ledger before the noise is drawn; the
    ledger refuses the release that would exceed its budget. Clipping must come before, with the ledger's sensitivity:
    anything else is refused when the fit starts.

    Example:
        >>> ledger = Ledger(RowAccount(budget, clip.sensitivity, rows=100))  # doctest: +SKIP
        >>> sigma = budget.noise_multiplier(40, clip.sensitivity)  # doctest: +SKIP
        >>> Trainer(callbacks=[clip, ReleaseGradients(noise, sigma, ledger)])  # doctest: +SKIP
    """

    def __init__(
        self, noise: NoiseSource, noise_multiplier: float | NDArray[np.float64], ledger: Ledger[RowRelease]
    ) -> None:
        self.noise, self.noise_multiplier, self.ledger = noise, noise_multiplier, ledger
        self._open: dict[int, OpenRound] = {}

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
        self._open[number] = OpenRound(self.noise.open_round(number), iter(order.T), self._multiplier(number))

    def on_row_gradient(self, module: LightningModule, gradient: Tensor, rows: Tensor, number: int) -> Tensor:
        """Charges the ledger for every row of a round, then adds the noise; round after round of a wave."""
        if not self._open:
            raise RuntimeError("a release outside a round: the module must announce on_round_start")
        released = []
        for part, opened in zip(gradient.chunk(len(self._open)), self._open.values(), strict=True):
            self.ledger.charge(RowRelease(next(opened.rows), opened.noise_multiplier))
            deviation = opened.noise_multiplier * self.ledger.sensitivity.max_grad_norm
            released.append(part.add(opened.draw(tuple(part.shape)), alpha=deviation))
        return released[0] if len(released) == 1 else torch.cat(released)

    def _multiplier(self, number: int) -> float:
        given = self.noise_multiplier
        return float(given) if np.ndim(given) == 0 else float(np.asarray(given)[number - 1])

    def on_round_end(
        self, module: LightningModule, number: int, order: NDArray[np.int64], marginals: NDArray[np.float64]
    ) -> None:
        """Notes the round in the record."""
        del self._open[number]
        norm = self.ledger.sensitivity.max_grad_norm
        facts = {"round": number, "noise_multiplier": self._multiplier(number), "max_grad_norm": norm}
        self.ledger.note(noise=self.noise.kind, **facts)

    def state_dict(self) -> dict[str, Any]:
        """The ledger's counts; the noise of a round is named by its number, so it has no state."""
        return self.ledger.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on counting where an interrupted fit stopped."""
        self.ledger.load_state_dict(state_dict)
