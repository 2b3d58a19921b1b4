"""A table with one row more: private training differs by that row's own clipped gradient, and in nothing that is stated."""

from __future__ import annotations

import pytest
import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor, nn

from assay.errors import InputError
from assay.learning.callbacks.private_gradients import PrivateGradients
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
