"""One private step on a table with and without a row, with the same coins and noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from assay.learning.callbacks.private_gradients import PrivateGradients
from assay.learning.fitting import carry_out_fit, quiet
from assay.learning.modules.canaries import Directions, WithCanaries
from assay.learning.modules.supervised import Supervised
from assay.learning.private_loader import parts_within_memory, private_loader
from assay.privacy.accounting.training import TrainingAccount
from assay.privacy.ledger import Ledger
from assay.privacy.plan import TrainingPlan
from assay.tasks.training import optimizer_of, tensors_of

if TYPE_CHECKING:
    from torch import Tensor

    from assay.tasks.recipe import AttackedRecipe
    from assay.valuation.valuator import Problem, Run

FAR = 1e3
DEAFENING = 1e4  # clipping norms of the canary's gradient: it outweighs all other rows before they are clipped
ROUNDING = 1e-6
KINDS = ("row", "label", "far", "canary")


class Neighbours:
    """Compares the noised sums of neighbouring tables, which may differ by one row's clipped gradient and by nothing else.

    Coins and noise are the same, and the row takes part in the step, so that the difference is what the row adds: exact
    where a statistic over many draws would not see it. Dropout is off. Catches sums that are clipped as a whole, divisors
    that count rows, and rows that stand twice in a batch. Source: n against n + 1 rows, arXiv 2605.15648.
    """

    def __init__(
        self,
        network: Callable[[], torch.nn.Module],
        choice: AttackedRecipe,
        problem: Problem,
        run: Run,
        plan: TrainingPlan,
    ) -> None:
        self.network, self.choice, self.problem, self.run, self.plan = network, choice, problem, run, plan
        self.norm = plan.ledger.sensitivity.max_grad_norm
        generator = run.streams.generator("neighbours")
        self.directions = Directions.draw(network(), 1, DEAFENING * self.norm, generator, run.trainer.dtype)

    def changes(self) -> pd.DataFrame:
        """A line for each row and kind: the change of the sum in clipping norms, and the most that rounding lets it be."""
        data, generator = self.problem.data, self.run.streams.generator("neighbours", "rows")
        features, target = tensors_of(data.train, self.run.trainer.dtype)
        chosen = generator.choice(len(target), min(self.choice.rows, len(target)), replace=False)
        lines = []
        for row in map(int, chosen):
            rest = torch.arange(len(target)) != row
            for kind in KINDS if features.is_floating_point() else ("row", "label", "canary"):
                one = [features[row : row + 1], target[row : row + 1], torch.tensor([0 if kind == "canary" else -1])]
                if kind in ("label", "far"):
                    one[1] = _wrong(one[1], len(data.classes))
                if kind == "far":
                    one[0] = one[0] * FAR
                others = (features[rest], target[rest], torch.full((int(rest.sum()),), -1))
                change, limit = self._change(others, one, row)
                lines.append({"id": int(data.train.ids[row]), "kind": kind, "change": change, "limit": limit})
        return pd.DataFrame(lines)

    def _change(self, others: Sequence[Tensor], one: Sequence[Tensor], row: int) -> tuple[float, float]:
        plan = self._with_the_row(len(others[0]), row)
        whole = self._sum(plan, [torch.cat(pair) for pair in zip(others, one, strict=True)], bool(one[2] >= 0))
        without = self._sum(plan, others, bool(one[2] >= 0))
        size = float(whole.norm()) / self.norm
        return float((whole - without).norm()) / self.norm, 1 + ROUNDING + 4 * torch.finfo(
            self.run.trainer.dtype
        ).eps * size

    def _sum(self, plan: TrainingPlan, tensors: Sequence[Tensor], canary: bool) -> Tensor:
        """The noised sum of the first step [P]."""
        account = plan.ledger.account
        assert isinstance(account, TrainingAccount)
        fresh = TrainingAccount(account.budget, account.sensitivity, account.accountant)
        plan = replace(plan, steps=1, ledger=Ledger(fresh))
        network, kind, optimizer = self.network(), self.problem.data.kind, optimizer_of(self.choice)
        module = (
            WithCanaries(network, kind, optimizer, self.directions) if canary else Supervised(network, kind, optimizer)
        )
        module.eval()  # dropout would draw other masks for another batch
        parts = max(self.choice.parts, parts_within_memory(module, plan))
        loader = private_loader(plan, tensors if canary else tensors[:2], parts=parts)
        with quiet():
            fit = self.run.trainer.build([PrivateGradients(plan)], max_epochs=1, accumulate_grad_batches=loader.parts)
            carry_out_fit(fit, module, loader)
        gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
        flat = torch.cat([gradient.detach().cpu().flatten() for gradient in gradients])
        return flat.double() * plan.sampler.expected_batch_size

    def _with_the_row(self, rows: int, row: int) -> TrainingPlan:
        """The plan for so many rows, with coins by which a further row takes part in the first step, beside others."""
        number = 0
        while True:
            generator = partial(self.run.streams.generator, "neighbours", row, number)
            sampler = replace(self.plan.sampler, rows=rows, generator=generator)
            drawn = sampler.of_table(rows + 1).batch(0)
            if len(np.unique(drawn)) > 1 and rows in drawn:
                return replace(self.plan, sampler=sampler)
            number += 1


def _wrong(target: Tensor, classes: int) -> Tensor:
    return (target + 1) % classes if classes else target + 3
