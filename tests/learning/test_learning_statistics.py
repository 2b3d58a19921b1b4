"""Per-sample statistics against gradients taken one row at a time, and training that goes on as without them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from pytorch_lightning import Callback
from torch import Tensor, nn

from assay.errors import AssayError
from assay.learning.callbacks.per_sample_statistics import PerSampleStatistics
from assay.learning.callbacks.private_gradients import PrivateGradients
from assay.learning.fitting import quiet
from assay.learning.modules.supervised import Supervised
from assay.learning.trainer import Trainer

ROWS = 12
X = torch.randn(ROWS, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
Y = torch.arange(ROWS).remainder(2).double()
ORDER = [[3, 1, 7, 0], [2, 9, 3, 4], [5, 6, 8, 11]]  # row 3 twice, row 10 never


class Loader:
    def __len__(self) -> int:
        return len(ORDER)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return ((X[rows], Y[rows]) for rows in ORDER)


def module() -> Supervised:
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    values = torch.randn(sum(p.numel() for p in net.parameters()), generator=torch.Generator().manual_seed(2)).double()
    nn.utils.vector_to_parameters(values, net.parameters())
    return Supervised(net, "classification", lambda p: torch.optim.SGD(p, lr=0.3))


def fit(model: Supervised, callbacks: list[Callback], parts: int = 1) -> None:
    with quiet():
        Trainer().build(callbacks, max_epochs=1, accumulate_grad_batches=parts).fit(model, train_dataloaders=Loader())


def statistics() -> PerSampleStatistics:
    return PerSampleStatistics(ROWS, ids=lambda batch, place: np.array(ORDER[place]))


def test_norms_and_alignments_equal_rows_taken_one_at_a_time() -> None:
    recorded, model = statistics(), module()
    fit(model, [recorded])
    twin = module()
    norms, cosines, times, losses = np.zeros(ROWS), np.zeros(ROWS), np.zeros(ROWS), np.zeros(ROWS)
    for rows in ORDER:
        single = []
        for row in rows:
            loss = nn.functional.cross_entropy(twin(X[row : row + 1]), Y[row : row + 1].long())
            losses[row] += float(loss.detach())
            single.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(twin.parameters()))]))
        stack = torch.stack(single)
        for place, row in enumerate(rows):
            others = stack[[i for i in range(len(rows)) if i != place]].mean(0)
            times[row] += 1
            norms[row] += float(stack[place].norm())
            cosines[row] += float(torch.cosine_similarity(stack[place], others, dim=0))
        step = nn.utils.parameters_to_vector(twin.parameters()).detach() - 0.3 * stack.mean(0)
        nn.utils.vector_to_parameters(step, twin.parameters())
    table = recorded.table()
    met = times > 0
    assert (table["times"] == times).all()
    np.testing.assert_allclose(table["gradient_norm"][met], norms[met] / times[met], rtol=1e-9)
    np.testing.assert_allclose(table["alignment"][met], cosines[met] / times[met], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(table["loss"][met], losses[met] / times[met], rtol=1e-9)
    assert np.isnan(table["gradient_norm"][10])
    trained = nn.utils.parameters_to_vector(model.parameters())
    torch.testing.assert_close(trained, nn.utils.parameters_to_vector(twin.parameters()), rtol=1e-10, atol=1e-12)


def test_training_is_the_same_as_without() -> None:
    plain, watched = module(), module()
    fit(plain, [])
    fit(watched, [statistics()])
    for a, b in zip(plain.parameters(), watched.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)


def test_state_goes_on() -> None:
    first, second = statistics(), statistics()
    fit(module(), [first])
    second.load_state_dict(first.state_dict())
    assert second.table().equals(first.table())


def test_private_training_and_accumulation_are_refused() -> None:
    private: Any = PrivateGradients.__new__(PrivateGradients)
    private.on_train_start = private.on_exception = lambda *_: None
    with pytest.raises(AssayError, match="outside the account"):
        fit(module(), [statistics(), private])
    with pytest.raises(AssayError, match="a step for each batch"):
        fit(module(), [statistics()], parts=2)
