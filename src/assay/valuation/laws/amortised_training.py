"""One network of the amortised estimator: its table, the points left for judging, and its training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningModule
from torch import Tensor, nn

from assay.learning.callbacks.keep_best import KeepBest
from assay.learning.fitting import carry_out_fit, quiet
from assay.learning.models.torch_networks import draw_weights, layers
from assay.learning.modules.amortised_law import AmortisedLaw, Form
from assay.learning.modules.supervised import Supervised
from assay.learning.shuffled_batches import ShuffledBatches
from assay.learning.trainer import Trainer

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

BATCH, CLASSIFIER_EPOCHS, CLASSIFIER_RATE, GRADIENT_CLIP, JUDGED_SHARE = 128, 10, 1e-3, 0.5, 0.1
HIDDEN = (128, 128)
BLOCK = 4096  # points that pass through a network at once


@dataclass(frozen=True, eq=False)
class LawTable:
    """The table that networks are trained on, on one device: inputs [n, d], label [n], delta and log cardinality [n, m].

    `classes` is 0 for a regression, whose labels are all 0.
    """

    inputs: Tensor
    label: Tensor
    delta: Tensor
    log_size: Tensor
    classes: int

    def rows(self, rows: Integers) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Inputs, labels, delta and log cardinality of some points."""
        where = torch.from_numpy(rows).to(self.inputs.device)
        return self.inputs[where], self.label[where], self.delta[where], self.log_size[where]


@dataclass(frozen=True, eq=False)
class Member:
    """A trained network, the points that it never saw, and the epoch (from 1) of the lowest score on points left for judging."""

    module: AmortisedLaw
    unseen: Integers
    epoch: int
    score: float

    @torch.no_grad()
    def laws(self, inputs: Tensor, label: Tensor) -> Floats:
        """c, alpha, log sigma and beta [n, 4], in the units of the table."""
        blocks = zip(torch.split(inputs, BLOCK), torch.split(label, BLOCK), strict=True)
        laws = torch.cat([self.module.laws(*block) for block in blocks])
        return np.asarray(laws.double().cpu().numpy())


def hold_out(label: Integers, share: float, generator: np.random.Generator) -> tuple[Integers, Integers]:
    """Positions to train on and to judge by; every class leaves a point to train on, and one point at the least judges.

    ValueError when no class has two points.
    """
    judges: list[int] = []
    order = generator.permutation(len(label))
    members = [order[label[order] == each] for each in np.unique(label)]
    largest = max(members, key=len)
    if len(largest) < 2:
        raise ValueError(f"{len(label)} points: a network is trained on some and judged on others of a class")
    for each in members:
        judges += each[: round(share * len(each))].tolist() if len(each) > 1 else []
    chosen = np.array(sorted(judges or largest[:1].tolist()), dtype=np.int64)
    return np.setdiff1d(np.arange(len(label)), chosen), chosen


def train_member(
    table: LawTable, form: Form, epochs: int, resample: bool, trainer: Trainer, generator: np.random.Generator
) -> Member:
    """A network trained as a classifier and then on laws; with `resample`, on points drawn with replacement."""
    label = table.label.cpu().numpy()
    chosen, judges = hold_out(label, JUDGED_SHARE, generator)
    if resample:
        chosen = np.sort(generator.choice(chosen, len(chosen)))
    draws = torch.Generator().manual_seed(int(generator.integers(2**62)))
    inputs, labels, delta, log_size = table.rows(chosen)
    network = _classifier(table, inputs, labels, trainer, draws)
    module = AmortisedLaw(network, max(1, table.classes), epochs, form)
    judged = table.rows(judges)

    def score(module: LightningModule) -> float:
        assert isinstance(module, AmortisedLaw)
        return module.score(*judged)

    best = KeepBest(score)
    batches = ShuffledBatches((inputs, labels, delta, log_size), BATCH, draws)
    with quiet():
        fit = trainer.build([best], epochs, gradient_clip_val=GRADIENT_CLIP, precision=trainer.fast_precision)
    carry_out_fit(fit, module, batches)
    module.to(table.inputs.device).eval()
    module.fill_absent(torch.bincount(labels, minlength=max(1, table.classes)))
    return Member(module, np.setdiff1d(np.arange(len(label)), chosen), best.epoch, best.best)


def _classifier(
    table: LawTable, inputs: Tensor, labels: Tensor, trainer: Trainer, draws: torch.Generator
) -> nn.Sequential:
    """A network that has learned the classes; of random weights for a regression, which has none."""
    network = layers([inputs.shape[1], *HIDDEN, max(1, table.classes)], "relu")
    draw_weights(network, draws)
    if table.classes > 1:
        module = Supervised(
            network, "classification", lambda parameters: torch.optim.AdamW(parameters, lr=CLASSIFIER_RATE)
        )
        with quiet():
            fit = trainer.build([], CLASSIFIER_EPOCHS, precision=trainer.fast_precision)
        carry_out_fit(fit, module, ShuffledBatches((inputs, labels), BATCH, draws))
    return network.to(inputs.device)
