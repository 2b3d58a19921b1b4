"""Standard errors of values whose rounds are correlated, from releases alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assay.learning.callbacks.record_values import RecordValues
from assay.learning.callbacks.reuse_releases import ReuseReleases
from assay.learning.callbacks.rounds import RoundCallback
from assay.learning.marginals import MarginalSums
from assay.learning.models import ReplicatedModel
from assay.learning.modules.permutation_pass import PermutationPass, Rows
from assay.learning.trainers import Batches, TrainerSpec, carry_out_fit, quiet
from assay.runs.streams import Streams
from assay.valuation.permutations import random_orders

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
    """Noise like that of the releases, drawn anew; touches no data, so that no ledger is charged."""

    def __init__(self, deviation: float | Tensor, seed_of: Callable[[int], int]) -> None:
        self._deviation, self._seed_of = deviation, seed_of
        self._generator = torch.Generator()

    def on_round_start(self, module: LightningModule, number: int, order: NDArray[np.int64]) -> None:
        """A round's noise is named by its number."""
        self._generator.manual_seed(self._seed_of(number))

    def on_row_gradient(self, module: LightningModule, gradient: Tensor, rows: Tensor, number: int) -> Tensor:
        """Adds the noise."""
        draw = torch.randn(gradient.shape, generator=self._generator, dtype=gradient.dtype).to(gradient.device)
        if isinstance(self._deviation, Tensor):
            return gradient + draw * self._deviation[rows, None]
        return gradient.add(draw, alpha=self._deviation)


def bootstrap_std_errors(
    model: ReplicatedModel,
    releases: Tensor,
    valid: Rows,
    start: Tensor,
    *,
    deviation: float | Tensor,
    marginals: MarginalSums,
    replicates: int,
    evaluations: int,
    learning_rate: float,
    utility: str,
    streams: Streams,
    trainer: TrainerSpec,
) -> NDArray[np.float64]:
    """Standard error of each row's value [n] under reuse of releases, by a parametric bootstrap.

    Repeats the whole estimate `replicates` times with each row's mean release [n, P] in the place of its gradient, fresh
    noise of the same `deviation` (one for all rows, or one for each [n]), and fresh permutations; `marginals` is empty and
    has the estimate's weights and burn-in. Reads no private row: post-processing of the releases. Conservative, since the
    mean release carries noise of its own and a fixed gradient does not fall as the model learns: 1.0 to 2.1 times the
    spread over repeated private runs (diabetes and breast_cancer, epsilon 1 to 50). [derived and measured]
    """
    rows = Rows(releases, releases.new_zeros(len(releases)))
    orders = random_orders(streams, len(rows), replicates, "bootstrap")
    module = PermutationPass(
        ReleasedModel(model),
        rows,
        valid,
        start,
        orders,
        learning_rate=learning_rate,
        utility=utility,
        replicates=replicates,
    )
    noise = SimulatedNoise(deviation, lambda number: streams.seed("bootstrap noise", number))
    callbacks = [noise, ReuseReleases(len(rows)), RecordValues(marginals)]
    with quiet():
        fit = trainer.build(callbacks, max_epochs=1)
    carry_out_fit(fit, module, Batches([torch.arange(1, evaluations + 1)]))
    return np.asarray(marginals.values().std(axis=0, ddof=1))
