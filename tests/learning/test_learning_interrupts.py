"""An interrupt in the middle of a fit reaches the caller as one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from assay.learning.callbacks.rounds import RoundCallback
from assay.learning.fitting import Batches, carry_out_fit, quiet
from assay.learning.models.generalized_linear import GeneralizedLinear
from assay.learning.models.heads import head_for
from assay.learning.modules.permutation_pass import PermutationPass, Rows
from assay.learning.trainer import Trainer


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """Ctrl-C as in a terminal: a process that was started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Interrupt(RoundCallback):
    """Presses Ctrl-C in the first round."""

    def on_round_start(self, module: Any, number: int, order: Any) -> None:
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_is_a_keyboard_interrupt_and_works_a_second_time() -> None:
    model, rows = GeneralizedLinear(2, head_for("regression", 0)), Rows(torch.ones(3, 2), torch.ones(3))
    start = torch.zeros(3)
    for _ in range(2):
        module = PermutationPass(
            model, rows, rows, start, lambda number: np.array([[0, 1, 2]]), learning_rate=0.1, utility="negative_loss"
        )
        before = signal.getsignal(signal.SIGINT)
        with quiet():
            trainer = Trainer(precision=32).build([Interrupt()], max_epochs=1)
        with pytest.raises(KeyboardInterrupt):
            carry_out_fit(trainer, module, Batches([torch.tensor([1])]))
        assert signal.getsignal(signal.SIGINT) is before
