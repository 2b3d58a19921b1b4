"""Sequences of several lengths in a private training: packed ones give what padded ones give, and lengths mix no rows."""

from __future__ import annotations

import pytest
import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from assay.errors import AssayError
from assay.learning.callbacks.private_gradients import PrivateGradients
from assay.learning.fitting import quiet
from assay.learning.private_loader import private_loader
from assay.privacy.plan import plan_training

ROWS, STEPS = 40, 6
X = torch.randn(ROWS, 5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
LENGTHS = torch.randint(1, 6, (ROWS,), generator=torch.Generator().manual_seed(1))
Y = torch.randn(ROWS, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


class Packed(LightningModule):
    """Reads the state at the end of each sequence."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.cells, self.head = nn.LSTM(3, 4, batch_first=True).double(), nn.Linear(4, 1).double()

    def ends(self, x: Tensor, lengths: Tensor) -> Tensor:
        given = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        ends: Tensor = self.cells(given)[1][0][0]
        return ends

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], batch_idx: int) -> Tensor:
        x, lengths, y = batch
        return nn.functional.mse_loss(self.head(self.ends(x, lengths))[:, 0], y)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.3)


class Padded(Packed):
    """The same state out of padded sequences."""

    def ends(self, x: Tensor, lengths: Tensor) -> Tensor:
        states: Tensor = self.cells(x)[0]
        return states[torch.arange(len(x)), lengths - 1]


class LayerOnPacked(Packed):
    """A layer on packed data, in which rows are no axis."""

    def ends(self, x: Tensor, lengths: Tensor) -> Tensor:
        given = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        output = self.cells(given)[0]
        scores = output._replace(data=self.head(output.data).expand(-1, 4))
        summed: Tensor = pad_packed_sequence(scores, batch_first=True)[0].sum(1)
        return summed


def trained(kind: type[Packed]) -> Tensor:
    module = kind()
    plan = plan_training(
        rows=ROWS, batch_size=8, steps=STEPS, epsilon=8.0, delta=1e-5, secure=False, seed=1, accountant="rdp"
    )
    with quiet():
        Trainer(
            callbacks=[PrivateGradients(plan)], max_epochs=1, accelerator="cpu", logger=False,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        ).fit(module, private_loader(plan, (X, LENGTHS, Y)))  # fmt: skip
    assert plan.ledger.entries[-1]["steps"] == STEPS
    return nn.utils.parameters_to_vector(module.parameters()).detach()


def test_packed_sequences_train_as_padded_ones() -> None:
    torch.testing.assert_close(trained(Packed), trained(Padded), rtol=1e-9, atol=1e-11)


def test_a_layer_on_packed_data_is_refused_with_the_remedy() -> None:
    with pytest.raises(AssayError, match=r"head: .*first axis must be the sample's"):
        trained(LayerOnPacked)
