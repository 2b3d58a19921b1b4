"""Stand-ins for the private rows: tables of public rows, some with wrong targets, whose exact values are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from pytorch_lightning import LightningModule
from torch import Tensor

from assay.learning.callbacks.rounds import RoundCallback
from assay.learning.fitting import Batches, carry_out_fit, quiet
from assay.learning.marginals import MarginalSums
from assay.learning.models.replicated import ReplicatedModel
from assay.learning.modules.permutation_pass import PermutationPass, Rows
from assay.learning.trainer import Trainer
from assay.valuation.gradient.directed.design import mislabelled
from assay.valuation.gradient.settings import GradientSettings

if TYPE_CHECKING:
    from assay.arrays import Floats, Integers

SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)  # of wrong targets: a private table may have any, so that stand-ins have all
LEAST, MOST = 8, 48  # permutations behind an exact value
WORK = 2e10  # outputs of a model on judges that all exact values together may take: about a minute


@dataclass(frozen=True, eq=False)
class StandIn:
    """A table in the place of the private one, drawn from half of the public rows, and the other half of them."""

    rows: Rows
    public: Rows


def stand_ins(public: Rows, length: int, count: int, classes: int, generator: np.random.Generator) -> list[StandIn]:
    """`count` tables of `length` rows, each drawn with replacement from a random half of the public rows.

    Every second one is drawn with class shares from Dirichlet(2), or, without classes, with weights that lean to high or to
    low targets. A share of SHARES, in turn, has wrong targets. Reads no private row.
    """
    return [_stand_in(public, length, number, classes, generator) for number in range(count)]


def _stand_in(public: Rows, length: int, number: int, classes: int, generator: np.random.Generator) -> StandIn:
    order = generator.permutation(len(public))
    half, other = order[: len(order) // 2], order[len(order) // 2 :]
    weights = np.ones(len(half))
    if number % 2:
        weights = _leaning(public.target[torch.from_numpy(half)].double().cpu().numpy(), classes, generator)
    drawn = generator.choice(half, length, p=weights / weights.sum())
    rows = _taken(public, drawn)
    wrong = mislabelled(rows, classes, generator)
    chosen = torch.from_numpy(generator.random(length) < SHARES[number % len(SHARES)]).to(rows.target.device)
    return StandIn(Rows(rows.features, torch.where(chosen, wrong.target, rows.target)), _taken(public, other))


def _leaning(target: Floats, classes: int, generator: np.random.Generator) -> Floats:
    """Weights [m] of the rows of a half in which the mix of targets is another."""
    if classes:
        labels = target.astype(np.int64)
        shares = generator.dirichlet(np.full(classes, 2.0))
        return np.asarray(shares[labels] / np.bincount(labels, minlength=classes)[labels])
    spread = target.std() or 1.0
    return np.asarray(np.exp(generator.normal(0.0, 0.5) * (target - target.mean()) / spread))


def _taken(rows: Rows, places: Integers) -> Rows:
    index = torch.from_numpy(np.asarray(places)).to(rows.features.device)
    return Rows(rows.features[index], rows.target[index])


def exact_values(
    model: ReplicatedModel,
    tables: list[Rows],
    judges: Rows,
    start: Tensor,
    settings: GradientSettings,
    trainer: Trainer,
    generator: np.random.Generator,
) -> tuple[Floats, int]:
    """Semivalues [K, n] of the rows of K tables, as the private rows' would be, and the evaluations of the utility.

    By one-pass SGD over random permutations.
    A replicate is a table, so that all are walked side by side. From LEAST to MOST permutations, as many as WORK allows.
    """
    count, length = len(tables), len(tables[0])
    cost = count * length * len(judges) * model.widest
    permutations = int(np.clip(WORK // cost, LEAST, MOST))
    every = Rows(torch.cat([table.features for table in tables]), torch.cat([table.target for table in tables]))
    offsets = length * np.arange(count)[:, None]
    orders = np.argsort(generator.random((permutations, count, length)), axis=2, kind="stable")
    sums = MarginalSums(length, count, 0, settings.weights(length))
    module = PermutationPass(
        model,
        every,
        judges,
        start,
        lambda number: orders[number - 1] + offsets,
        learning_rate=settings.learning_rate,
        utility=settings.utility,
        replicates=count,
        wave=max(1, min(permutations, 512 // count)),
    )
    with quiet():
        fit = trainer.build([_WithinTables(sums, offsets)], max_epochs=1)
    carry_out_fit(fit, module, Batches([torch.arange(1, permutations + 1)]))
    return sums.values(), module.utility_evaluations


class _WithinTables(RoundCallback):
    """Records rounds whose rows are numbered over all tables by their numbers within each."""

    def __init__(self, sums: MarginalSums, offsets: Integers) -> None:
        self._sums, self._offsets = sums, offsets

    def on_round_end(self, module: LightningModule, number: int, order: Integers, marginals: Floats) -> None:
        """Adds the round."""
        self._sums.add(number, order - self._offsets, marginals)
