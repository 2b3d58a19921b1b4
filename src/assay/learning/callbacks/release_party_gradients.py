"""Makes a party's mean gradient a private release: account first, noise second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor

from assay.learning.callbacks.rounds import RoundCallback
from assay.privacy.ledger import Ledger
from assay.privacy.noise.sources import NoiseSource
from assay.privacy.rows.parties import PartyRelease, PartySensitivity


class ReleasePartyGradients(RoundCallback):
    """Adds Gaussian noise of deviation `noise_multiplier` * reach to each party's mean, once the ledger has agreed.

    The reach is C/|D| when a record is protected and C when the whole party is. Guarantee: each call is one Gaussian release
    of each of its parties, charged by the noise it truly gets before that is drawn. The module's model must be a PartyMean
    with the ledger's sensitivity, and nothing may change its gradients before: else the fit is refused.

    Example:
        >>> model = PartyMean(logistic, sensitivity)  # doctest: +SKIP
        >>> ledger = Ledger(PartyAccount(budget, sensitivity))  # doctest: +SKIP
        >>> Trainer(callbacks=[ReleasePartyGradients(noise, sigma, ledger, sensitivity), record])  # doctest: +SKIP
    """

    def __init__(
        self,
        noise: NoiseSource,
        noise_multiplier: float,
        ledger: Ledger[PartyRelease],
        sensitivity: PartySensitivity,
    ) -> None:
        self.noise, self.noise_multiplier, self.ledger = noise, noise_multiplier, ledger
        self.sensitivity, self.deviations = sensitivity, sensitivity.deviations(noise_multiplier)
        self._draw: Callable[[tuple[int, ...]], Tensor] | None = None

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Refuses gradients that are clipped otherwise than accounted for, and noise for another size or level."""
        callbacks: list[Any] = list(trainer.callbacks)  # type: ignore[attr-defined]
        before = [c for c in callbacks[: callbacks.index(self)] if isinstance(c, RoundCallback)]
        model: Any = pl_module.model
        carried = [getattr(model, "sensitivity", None), self.sensitivity]
        if before or carried != [self.ledger.sensitivity] * 2:
            raise ValueError(
                f"the ledger accounts for {self.ledger.sensitivity}, gradients and noise carry {carried} "
                f"after {len(before)} callbacks: use a PartyMean with the same sensitivity, and release first"
            )

    def on_round_start(self, module: LightningModule, number: int, order: NDArray[np.int64]) -> None:
        """Opens the round's noise."""
        self._draw = self.noise.open_round(number)

    def on_row_gradient(self, module: LightningModule, gradient: Tensor, rows: Tensor, number: int) -> Tensor:
        """Charges the ledger for every party, then adds the noise."""
        if self._draw is None:
            raise RuntimeError("a release outside a round: the module must announce on_round_start")
        parties = rows.cpu().numpy()
        deviation = self.deviations[parties]
        self.ledger.charge(PartyRelease(parties, deviation))
        return gradient + self._draw(tuple(gradient.shape)) * torch.from_numpy(deviation).to(gradient)[:, None]

    def on_round_end(
        self, module: LightningModule, number: int, order: NDArray[np.int64], marginals: NDArray[np.float64]
    ) -> None:
        """Notes the round in the record."""
        self.ledger.note(noise=self.noise.kind, round=number, noise_multiplier=self.noise_multiplier)

    def state_dict(self) -> dict[str, Any]:
        """The ledger's counts; the noise of a round is named by its number, so it has no state."""
        return self.ledger.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Goes on counting where an interrupted fit stopped."""
        self.ledger.load_state_dict(state_dict)
