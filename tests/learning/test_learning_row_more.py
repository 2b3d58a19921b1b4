"""A table with one row more: private training differs by that row's own clipped gradient, and in nothing that is stated."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor, nn

from assay.errors import InputError
from assay.learning.callbacks.private_gradients import PrivateGradients
from assay.learning.callbacks.step_guard import StepGuard
from assay.learning.fitting import quiet
from assay.learning.private_loader import private_loader
from assay.privacy.plan import TrainingPlan, plan_training
from assay.privacy.poisson import PoissonSampler

ROWS, BATCH, NORM = 60, 30, 0.5


class Linear(LightningModule):
    """A user's module from a fixed start, whose step is the private mean itself."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 1, dtype=torch.float64)
        with torch.no_grad():
            self.layer.weight.fill_(0.3)
            self.layer.bias.zero_()

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        return nn.functional.mse_loss(self.layer(batch[0])[:, 0], batch[1])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=1.0)


def table(rows: int) -> tuple[Tensor, Tensor]:
    """The first rows of one table."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(ROWS + 1, 4, generator=generator, dtype=torch.float64)
    return x[:rows], 3 * x[:rows, 0] + 1


def plan() -> TrainingPlan:
    return plan_training(
        rows=ROWS,
        batch_size=BATCH,
        steps=1,
        epsilon=2.0,
        delta=1e-5,
        max_grad_norm=NORM,
        secure=False,
        seed=7,
        accountant="rdp",
    )


def step_on(rows: int) -> tuple[Tensor, TrainingPlan]:
    """The private mean of the first step on the first rows of the table."""
    module, planned = Linear(), plan()
    before = nn.utils.parameters_to_vector(module.parameters()).detach().clone()
    with quiet():
        Trainer(
            callbacks=[PrivateGradients(planned)], max_epochs=1, accelerator="cpu", logger=False,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        ).fit(module, private_loader(planned, table(rows)))  # fmt: skip
    return before - nn.utils.parameters_to_vector(module.parameters()).detach(), planned


def clipped_gradient_of_last() -> Tensor:
    """The gradient of row ROWS, by hand: 2 (w x + b - y) (x, 1), clipped."""
    x, y = (part[ROWS] for part in table(ROWS + 1))
    gradient = 2 * (0.3 * x.sum() - y) * torch.cat([x, torch.ones(1, dtype=torch.float64)])
    return gradient * min(1.0, NORM / float(gradient.norm()))


def difference() -> Tensor:
    return step_on(ROWS + 1)[0] - step_on(ROWS)[0]


def test_one_row_more_adds_its_clipped_gradient_alone() -> None:
    assert ROWS in plan().sampler.of_table(ROWS + 1).batch(0), "the row takes part"
    torch.testing.assert_close(difference(), clipped_gradient_of_last() / BATCH, rtol=1e-9, atol=1e-12)
    assert float(difference().norm()) <= NORM / BATCH + 1e-12


def test_a_divisor_that_counts_the_rows_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken variant: the divisor is the table's own rows times the rate, so that a row changes the share of all others."""
    counted = {}

    def of_table(self: PoissonSampler, rows: int) -> PoissonSampler:
        counted["rows"] = rows
        return PoissonSampler(rows, self.sample_rate, self.generator)

    monkeypatch.setattr(PoissonSampler, "of_table", of_table)
    monkeypatch.setattr(PoissonSampler, "serves", lambda self, stated: True)
    monkeypatch.setattr(
        PoissonSampler, "expected_batch_size", property(lambda self: counted["rows"] * self.sample_rate)
    )
    with pytest.raises(AssertionError):
        torch.testing.assert_close(difference(), clipped_gradient_of_last() / BATCH, rtol=1e-9, atol=1e-12)


def test_whatever_is_stated_is_the_same() -> None:
    fewer, more = step_on(ROWS)[1], step_on(ROWS + 1)[1]
    assert fewer.noise_multiplier == more.noise_multiplier
    assert fewer.epsilon() == more.epsilon()
    assert fewer.ledger.entries == more.ledger.entries


@pytest.mark.parametrize("rows", [53, 67])
def test_a_table_far_from_the_plan_is_refused(rows: int) -> None:
    x = torch.zeros(rows, 4)
    with pytest.raises(InputError, match=f"rows={rows}: the plan is for 60, and serves a tenth more or fewer"):
        private_loader(plan(), (x, x))


def test_tensors_of_different_lengths_are_refused() -> None:
    with pytest.raises(InputError, match="rows=59: the first tensor has 60"):
        private_loader(plan(), (torch.zeros(60, 4), torch.zeros(59)))


class Single(Linear):
    """The same in single precision, by automatic or manual optimisation."""

    def __init__(self, manual: bool) -> None:
        super().__init__()
        self.layer = self.layer.float()
        self.automatic_optimization = not manual

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        loss = super().training_step(batch, batch_idx)
        if not self.automatic_optimization:
            self.manual_backward(loss)
            optimizer: Any = self.optimizers()
            optimizer.step()
        return loss


def moved_by_a_row(manual: bool) -> float:
    """Move of the sum of a bf16-mixed step by one of many equal rows, all of which take part, in gradients of one row."""
    rows, clip = 400, 10.0  # no row is clipped: each is summed as it is
    sums = []
    for count in (rows, rows + 1):
        planned = plan_training(
            rows=rows, batch_size=rows, steps=1, epsilon=2.0, delta=1e-5, max_grad_norm=clip, secure=False, seed=7,
            accountant="rdp",
        )  # fmt: skip
        module, x = Single(manual), torch.full((count, 4), 0.37)
        private = PrivateGradients(planned)
        totals: list[Tensor] = []
        private._noised_mean = lambda total, draw, totals=totals: totals.append(total) or torch.zeros_like(total)  # type: ignore[method-assign, misc]
        with quiet():
            Trainer(
                callbacks=[private], max_epochs=1, accelerator="cpu", logger=False, precision="bf16-mixed",
                enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
            ).fit(module, private_loader(planned, (x, torch.full((count,), 2.1))))  # fmt: skip
        sums.append(torch.cat([each.flatten().double() for each in totals]))
    own = float(sums[0].norm()) / rows
    return float((sums[1] - sums[0]).norm()) / own


@pytest.mark.parametrize("manual", [False, True])
def test_reduced_precision_rounds_no_row_by_the_number_of_rows(manual: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert moved_by_a_row(manual) == pytest.approx(1.0, abs=1e-3)
    own = StepGuard.__init__

    def without(self: StepGuard, *arguments: Any) -> None:
        """Broken variant: the mean's share of a row is rounded, and with it every row."""
        own(self, *arguments)
        self.sums = False

    if not manual:
        monkeypatch.setattr(StepGuard, "__init__", without)
        assert abs(moved_by_a_row(manual) - 1.0) > 1e-2
