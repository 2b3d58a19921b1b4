"""The private part of a fit over permutations: clip, release, reuse."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pytorch_lightning import Callback

from assay.learning.callbacks.clip_row_gradients import ClipRowGradients
from assay.learning.callbacks.release_gradients import ReleaseGradients
from assay.privacy.noise.sources import NoiseSource
from assay.privacy.rows.gradients import RowGradients
from assay.valuation.gradient.reuse import Reuse


class PrivateRounds:
    """Callbacks under which each step of `evaluations` rounds is along private releases of rows, with their ledger.

    `public_norm(q)` is the q-quantile of the gradient norms of public rows; `reuse` combines releases, or is None.
    """

    def __init__(
        self,
        mechanism: RowGradients,
        public_norm: Callable[[float], float],
        noise: NoiseSource,
        reuse: Reuse | None,
        *,
        rows: int,
        replicates: int,
        evaluations: int,
    ) -> None:
        self.mechanism, self.reuse = mechanism, reuse
        self.multipliers = mechanism.noise_multipliers(evaluations)
        self.sensitivity = mechanism.clipped(public_norm)
        self.account = mechanism.open_account(self.sensitivity, rows, replicates)
        self.ledger = mechanism.open_ledger(self.account)
        self.release = ReleaseGradients(noise, self.multipliers, self.ledger)

    @property
    def callbacks(self) -> list[Callback]:
        """In the order in which they turn a gradient into the step."""
        steps = [ClipRowGradients(self.sensitivity.max_grad_norm, self.sensitivity.relation), self.release]
        return [*steps, self.reuse] if self.reuse else [*steps]

    @property
    def deviations(self) -> NDArray[np.float64]:
        """Deviation of the noise in each round [k], in units of the gradient."""
        return self.multipliers * self.sensitivity.max_grad_norm
