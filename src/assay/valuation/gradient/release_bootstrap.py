"""Standard errors of values whose rounds are correlated, from releases alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assay.learning.callbacks.record_values import RecordValues
from assay.learning.callbacks.rounds import RoundCallback
from assay.learning.fitting import Batches, carry_out_fit, quiet
from assay.learning.marginals import MarginalSums
from assay.learning.models.replicated import ReplicatedModel
from assay.learning.modules.permutation_pass import PermutationPass, Rows
from assay.learning.trainer import Trainer
from assay.privacy.noise.sources import NoiseSource, SeededNoise
from assay.runs.streams import Streams
from assay.valuation.gradient.reuse import Reuse
from assay.valuation.permutations import Orders

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytorch_lightning import LightningModule


class ReleasedModel:
    """Stands in for a model whose rows' gradients are known constants: a row's features are its gradient."""

    def __init__(self, model: ReplicatedModel) -> None:
        self.head, self.parameter_count = model.head, model.parameter_count
        self.widest, self.trains_from_zeros = model.widest, model.trains_from_zeros
        self.initial, self.outputs = model.initial, model.outputs

    def row_gradients(self, theta: Tensor, features: Tensor, target: Tensor) -> Tensor:
        """The released gradient itself."""
        return features


class SimulatedNoise(RoundCallback):
    """Noise like that of the releases, of deviations [k], drawn anew; touches no data, so that no ledger is charged."""

    def __init__(self, deviations: NDArray[np.float64], noise: NoiseSource) -> None:
        self._deviations, self._noise = deviations, noise
        self._open: dict[int, Callable[[tuple[int, ...]], Tensor]] = {}

    def on_round_start(self, module: LightningModule, number: int, order: NDArray[np.int64]) -> None:
        """A round's noise is named by its number."""
        self._open[number] = self._noise.open_round(number)

    def on_row_gradient(self, module: LightningModule, gradient: Tensor, rows: Tensor, number: int) -> Tensor:
        """Adds the noise, round after round of a wave."""
        whole = zip(gradient.chunk(len(self._open)), rows.chunk(len(self._open)), self._open.items(), strict=True)
        noisy = [part + draw(tuple(part.shape)) * self._deviation(number, of) for part, of, (number, draw) in whole]
        return noisy[0] if len(noisy) == 1 else torch.cat(noisy)

    def _deviation(self, number: int, rows: Tensor) -> Tensor | float:
        deviation = self._deviations[number - 1]
        return torch.tensor(deviation).to(rows.device)[rows, None] if deviation.ndim else float(deviation)

    def on_round_end(
        self, module: LightningModule, number: int, order: NDArray[np.int64], marginals: NDArray[np.float64]
    ) -> None:
        """Closes the round's noise."""
        del self._open[number]


def bootstrap_std_errors(
    model: ReplicatedModel,
    releases: Tensor,
    valid: Rows,
    start: Tensor,
    *,
    deviations: NDArray[np.float64],
    reuse: Reuse,
    marginals: MarginalSums,
    orders: Orders,
    replicates: int,
    learning_rate: float,
    utility: str,
    wave: int,
    streams: Streams,
    trainer: Trainer,
) -> NDArray[np.float64]:
    """Standard error of each row's value [n] under reuse of releases, by a parametric bootstrap.

    Repeats the whole estimate `replicates` times with each row's mean release [n, P] in the place of its gradient, fresh
    noise of the same `deviations` ([k], or [k, n] where rows differ), and fresh permutations `orders`; `reuse` and
    `marginals` are empty and have the estimate's weights and burn-in.
    Reads no private row: post-processing of the releases. Conservative, since the mean release carries noise of its own and
    a fixed gradient does not fall as the model learns: 1.0 to 2.1 times the spread over repeated private runs (diabetes
    and breast_cancer, epsilon 1 to 50). [derived and measured]
    """
    rows = Rows(releases, releases.new_zeros(len(releases)))
    module = PermutationPass(
        ReleasedModel(model),
        rows,
        valid,
        start,
        orders,
        learning_rate=learning_rate,
        utility=utility,
        replicates=replicates,
        wave=wave,
    )
    drawn = SeededNoise(lambda number: streams.seed("bootstrap noise", number), releases.dtype, releases.device)
    callbacks = [SimulatedNoise(deviations, drawn), reuse, RecordValues(marginals)]
    with quiet():
        fit = trainer.build(callbacks, max_epochs=1)
    carry_out_fit(fit, module, Batches([torch.arange(1, len(deviations) + 1)]))
    return np.asarray(marginals.values().std(axis=0, ddof=1))
