"""Private training inside a Trainer against the algorithm written out, and what must be refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as lightning
import torch
from pytorch_lightning import Callback, LightningModule
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from assay.errors import AssayError
from assay.gradients import Clipping, Flat, PerLayer
from assay.learning.callbacks.private_gradients import PrivateGradients
from assay.learning.callbacks.save_steps import SaveSteps
from assay.learning.fitting import quiet
from assay.learning.modules.supervised import Supervised
from assay.learning.poisson_loader import PoissonLoader
from assay.learning.trainer import Trainer
from assay.privacy.accounting.accountants import open_accountant
from assay.privacy.accounting.training import NoisySteps, TrainingAccount
from assay.privacy.budget import Budget
from assay.privacy.ledger import Ledger, OverspentError
from assay.privacy.noise.sources import SeededNoise
from assay.privacy.plan import TrainingPlan
from assay.privacy.poisson import PoissonSampler
from assay.privacy.relations import Relation, Sensitivity

ROWS, STEPS, SIGMA, NORM, RATE = 40, 6, 1.5, 0.3, 0.5
CLIP = Flat(NORM)
X = torch.randn(ROWS, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
Y = torch.randint(3, (ROWS,), generator=torch.Generator().manual_seed(1)).double()


def network() -> nn.Module:
    net = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).double()
    values = torch.randn(sum(p.numel() for p in net.parameters()), generator=torch.Generator().manual_seed(2)).double()
    nn.utils.vector_to_parameters(values / 2, net.parameters())
    return net


def module(kind: type[Supervised] = Supervised) -> Supervised:
    return kind(network(), "classification", lambda p: torch.optim.SGD(p, lr=RATE, momentum=0.5))


def sampler(rate: float = 0.2) -> PoissonSampler:
    return PoissonSampler(ROWS, rate, batches_of)


def batches_of(step: int) -> np.random.Generator:
    return np.random.default_rng([7, step])


def loader(rate: float = 0.2, parts: int = 1, steps: int = STEPS) -> PoissonLoader:
    return PoissonLoader((X, Y), sampler(rate), steps, parts=parts)


def ledger(epsilon: float = 50.0, norm: float = NORM, path: Path | None = None) -> Ledger[NoisySteps]:
    budget = Budget(epsilon, 1e-5, Relation.ADD_REMOVE)
    return Ledger(TrainingAccount(budget, Sensitivity(norm, Relation.ADD_REMOVE), open_accountant("rdp")), path)


def private(book: Ledger[NoisySteps] | None = None, clipping: Clipping = CLIP, rate: float = 0.2) -> PrivateGradients:
    noise = SeededNoise(lambda step: 100 + step, torch.float64)
    return PrivateGradients(TrainingPlan(sampler(rate), STEPS, clipping, noise, SIGMA, book or ledger()))


def fit(model: LightningModule, batches: Any, callbacks: list[Callback], parts: int = 1) -> None:
    with quiet():
        trainer = Trainer().build(callbacks, max_epochs=1, accumulate_grad_batches=parts)
        trainer.fit(model, train_dataloaders=batches)


def weights(model: nn.Module) -> Tensor:
    return nn.utils.parameters_to_vector(model.parameters()).detach()


def written_out(rate: float, steps: int = STEPS) -> Tensor:
    """DP-SGD one row at a time: Algorithm 1 of Abadi et al. with momentum, the same sample and the same noise."""
    net, noise = network(), SeededNoise(lambda step: 100 + step, torch.float64)
    names = [name for name, _ in net.named_parameters()]
    optimizer = torch.optim.SGD(net.parameters(), lr=RATE, momentum=0.5)
    for step in range(steps):
        total = [torch.zeros_like(p) for p in net.parameters()]
        for row in sampler(rate).batch(step):
            loss = nn.functional.cross_entropy(net(X[row : row + 1]), Y[row : row + 1].long())
            gradient = torch.autograd.grad(loss, list(net.parameters()))
            size = torch.sqrt(sum((g**2).sum() for g in gradient))
            for place, g in enumerate(gradient):
                total[place] += g * min(1.0, NORM / float(size))
        draw = noise.open_round(step)
        for (_, parameter), summed in zip(zip(names, net.parameters(), strict=True), total, strict=True):
            parameter.grad = (summed + SIGMA * NORM * draw(tuple(summed.shape))) / (rate * ROWS)
        optimizer.step()
    return weights(net)


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("rate", [0.2, 0.6])
def test_training_equals_the_algorithm_written_out(rate: float, parts: int) -> None:
    model, book = module(), ledger()
    fit(model, loader(rate, parts), [private(book, rate=rate)], parts)
    torch.testing.assert_close(weights(model), written_out(rate), rtol=1e-10, atol=1e-12)
    assert [entry["steps"] for entry in book.entries] == list(range(1, STEPS + 1))


def test_an_empty_sample_is_a_step_of_noise_alone() -> None:
    rate = 0.02
    sizes = [len(loader(rate).sampler.batch(step)) for step in range(STEPS)]
    assert 0 in sizes  # else this test says nothing
    model = module()
    fit(model, loader(rate), [private(rate=rate)])
    torch.testing.assert_close(weights(model), written_out(rate), rtol=1e-10, atol=1e-12)


class Manual(Supervised):
    """The same training by manual optimisation."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.automatic_optimization = False

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        loss = super().training_step(batch, batch_idx)
        optimizer: Any = self.optimizers()
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()
        return loss


def test_manual_optimisation_gives_the_same_weights() -> None:
    model = module(Manual)
    fit(model, loader(), [private()])
    torch.testing.assert_close(weights(model), written_out(0.2), rtol=1e-10, atol=1e-12)


class Killed(Callback):
    """Stands for a kill at the start of a step."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_train_batch_start(
        self, trainer: lightning.Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if batch_idx == self.step:
            raise KeyError("killed")


@pytest.mark.parametrize("step", [1, 4])
def test_killed_and_resumed_training_ends_in_the_same_bytes(tmp_path: Path, step: int) -> None:
    whole, book = module(), ledger(path=tmp_path / "whole.jsonl")
    fit(whole, loader(), [private(book)])
    first = private(ledger(path=tmp_path / "ledger.jsonl"))
    with pytest.raises(KeyError, match="killed"):
        fit(module(), loader(), [first, SaveSteps(tmp_path / "steps.pt", seconds=0), Killed(step)])
    again, batches = module(), loader()
    second, save = private(ledger(path=tmp_path / "ledger.jsonl")), SaveSteps(tmp_path / "steps.pt", seconds=0)
    assert save.resume(again, [second], batches) == step
    fit(again, batches, [second, save])
    assert torch.equal(weights(again), weights(whole))
    assert (tmp_path / "ledger.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_the_step_too_many_is_refused_before_it_is_made() -> None:
    probe = ledger()
    affordable = next(
        steps for steps in range(1, 10_000) if _epsilon(probe, steps + 1) > 2.0 and _epsilon(probe, steps) <= 2.0
    )
    book, model = ledger(epsilon=2.0), module()
    with pytest.raises(OverspentError, match=r"privacy\.epsilon=2"):
        fit(model, loader(steps=affordable + 1), [private(book)])
    assert sum(steps.count for steps in book.account.history) == affordable  # type: ignore[attr-defined]
    torch.testing.assert_close(weights(model), written_out(0.2, affordable), rtol=1e-9, atol=1e-12)


def _epsilon(book: Ledger[NoisySteps], steps: int) -> float:
    from assay.privacy.accounting.steps import Steps

    return open_accountant("rdp").epsilon([Steps.under(Relation.ADD_REMOVE, SIGMA, 0.2, steps)], 1e-5)


class Normalised(Supervised):
    """A broken variant: its loss divides by something that the whole batch decides."""

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        losses = self.losses(*batch)
        return losses.sum() / losses.detach().norm()


class Summed(Supervised):
    """A broken variant: the sum of losses in the place of their mean."""

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        return self.losses(*batch).sum()


class ManuallyNormalised(Manual, Normalised):
    """The first of them by manual optimisation: each sample's gradient would depend on all others and pass as clipped."""


class ManuallySummed(Manual, Summed):
    """The second of them by manual optimisation: it would be clipped as if each gradient were N times as large."""


@pytest.mark.parametrize("broken", [Normalised, Summed, ManuallyNormalised, ManuallySummed])
def test_a_loss_that_is_no_mean_over_samples_is_refused(broken: type[Supervised]) -> None:
    """Before anything is charged or changed."""
    model, book = module(broken), ledger()
    with pytest.raises(AssayError, match=r"its loss is no mean over rows of a loss of one row"):
        fit(model, loader(), [private(book)])
    assert torch.equal(weights(model), weights(network()))
    assert not book.entries


class Toggling(Manual):
    """Manual optimisation with two optimizers, of which one steps while the other's parameters are frozen."""

    def configure_optimizers(self) -> Any:
        return [torch.optim.SGD(self.network[place].parameters(), lr=RATE) for place in (0, 2)]

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        stepping = self.optimizers()[0]
        self.toggle_optimizer(stepping)
        loss = Supervised.training_step(self, batch, batch_idx)
        self.manual_backward(loss)
        stepping.step()
        self.untoggle_optimizer(stepping)
        return loss


def test_the_check_of_the_loss_leaves_a_manual_step_as_it_was() -> None:
    """The check stops inside of training_step: neither its hook nor the parameters that the step froze may stay behind."""
    model = module(Toggling)
    fit(model, loader(), [private()])
    assert not torch.equal(weights(model), weights(network()))
    assert "manual_backward" not in vars(model)
    assert all(parameter.requires_grad for parameter in model.parameters())


class Backwardless(Manual):
    """A broken variant: it runs backward past Lightning, so that no gradient of it would be clipped."""

    def manual_backward(self, loss: Tensor, *arguments: Any, **options: Any) -> None:
        raise AssertionError("not called")

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        loss = Supervised.training_step(self, batch, batch_idx)
        loss.backward()
        return loss


def test_manual_optimisation_without_manual_backward_is_refused() -> None:
    with pytest.raises(AssayError, match=r"made no backward pass to check \(call manual_backward once\)"):
        fit(module(Backwardless), loader(), [private()])


def ordinary(batches: PoissonLoader) -> Any:
    return DataLoader(TensorDataset(X, Y), batch_size=8)


MISTAKES: dict[str, tuple[Callable[[], Any], Callable[[], PrivateGradients], int, str]] = {
    "another loader": (lambda: ordinary(loader()), private, 1, "no Poisson samples"),
    "accumulation over samples": (loader, private, 2, "cuts each step's batch into 1"),
    "parts that are stepped on": (lambda: loader(parts=2), private, 1, "cuts each step's batch into 2"),
    "a looser clip": (loader, lambda: private(clipping=Flat(2 * NORM)), 1, "the ledger accounts for 0.3"),
    "another sampler": (lambda: loader(0.3), private, 1, "is not that of the plan"),
    "looser layers": (loader, lambda: private(clipping=PerLayer(2 * NORM)), 1, "the ledger accounts for 0.3"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_has_no_account_is_refused(mistake: str) -> None:
    batches, callback, parts, line = MISTAKES[mistake]
    with pytest.raises(AssayError, match=line):
        fit(module(), batches(), [callback()], parts)


def test_batches_that_are_not_the_samplers_are_refused() -> None:
    class Padded(PoissonLoader):
        def __iter__(self) -> Any:
            for x, y in super().__iter__():
                yield torch.cat([x, x[:1]]), torch.cat([y, y[:1]])  # a row twice

    given = loader()
    with pytest.raises(AssayError, match="rows that the sampler drew"):
        fit(module(), Padded(given.tensors, given.sampler, given.steps), [private()])
