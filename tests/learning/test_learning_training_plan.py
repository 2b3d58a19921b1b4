"""Six lines of private training against the algorithm written out, for any network in single or double precision."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor, nn

from assay.errors import AssayError, InputError
from assay.gradients import PerSampleGradients
from assay.learning.callbacks.private_gradients import PrivateGradients
from assay.learning.fitting import quiet
from assay.learning.private_loader import private_loader
from assay.privacy.plan import TrainingPlan, plan_training
from assay.runs.streams import Streams

ROWS, STEPS, RATE = 60, 12, 0.3
SETTINGS: dict[str, Any] = {"rows": ROWS, "batch_size": 9, "steps": STEPS, "epsilon": 4.0, "delta": 1e-5}
SEEDED: dict[str, Any] = {**SETTINGS, "secure": False, "seed": 3, "accountant": "rdp"}


class Regression(LightningModule):
    """A user's own module, which knows nothing of privacy."""

    def __init__(self, dtype: torch.dtype) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.LayerNorm(6), nn.Linear(6, 1)).to(dtype)
        values = torch.randn(sum(p.numel() for p in self.net.parameters()), generator=torch.Generator().manual_seed(2))
        nn.utils.vector_to_parameters((values / 2).to(dtype), self.net.parameters())

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        x, y = batch
        return nn.functional.mse_loss(self.net(x)[:, 0], y)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=RATE, momentum=0.5)


def table(dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(ROWS, 4, generator=generator).to(dtype)
    return x, (x[:, 0] - x[:, 1] + torch.randn(ROWS, generator=generator).to(dtype)) * 3


def trained(plan: TrainingPlan, module: LightningModule, dtype: torch.dtype) -> Tensor:
    x, y = table(dtype)
    with quiet():
        trainer = Trainer(
            callbacks=[PrivateGradients(plan)],
            max_epochs=1,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(module, private_loader(plan, (x, y)))
    return nn.utils.parameters_to_vector(module.parameters()).detach()


def written_out(dtype: torch.dtype, noise_multiplier: float, max_grad_norm: float = 1.0, scale: float = 1.0) -> Tensor:
    """Algorithm 1 of Abadi et al. one row at a time, with the samples and the noise that seed 3 names."""
    module, (x, y), streams = Regression(dtype), table(dtype), Streams(3)
    parameters = list(module.parameters())
    optimizer = module.configure_optimizers()
    for step in range(STEPS):
        taken = streams.generator("batches", step).random(ROWS) < 9 / ROWS
        total = [torch.zeros_like(p, dtype=torch.float64) for p in parameters]
        for row in torch.from_numpy(taken).nonzero()[:, 0]:
            loss = (module.net(x[row][None])[0, 0] - y[row]) ** 2
            gradient = [g.double() for g in torch.autograd.grad(loss, parameters)]
            size = float(torch.sqrt(sum((g**2).sum() for g in gradient)))  # type: ignore[arg-type]
            for summed, g in zip(total, gradient, strict=True):
                summed += g * min(1.0, max_grad_norm / size)
        generator = torch.Generator().manual_seed(streams.seed("noise", step))
        for parameter, summed in zip(parameters, total, strict=True):
            noise = torch.randn(summed.shape, generator=generator, dtype=torch.float64)
            noised = summed + scale * noise_multiplier * max_grad_norm * noise
            parameter.grad = (noised / 9).to(dtype)
        optimizer.step()
    return nn.utils.parameters_to_vector(parameters).detach()


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 2e-5)])
def test_six_lines_equal_the_algorithm_written_out(dtype: torch.dtype, tolerance: float) -> None:
    plan, module = plan_training(**SEEDED), Regression(dtype)
    weights = trained(plan, module, dtype)
    assert weights.dtype is dtype
    torch.testing.assert_close(weights, written_out(dtype, plan.noise_multiplier), rtol=tolerance, atol=tolerance)
    broken = written_out(dtype, plan.noise_multiplier, scale=0.5)  # half the noise is far from it
    assert float((weights - broken).abs().max()) > 1e-2
    assert 0.99 * 4.0 <= plan.epsilon() <= 4.0


def test_a_plan_is_spent_once_and_says_so() -> None:
    plan = plan_training(**SEEDED, table="patients", note_every=4)
    assert plan.epsilon() == 0.0
    trained(plan, Regression(torch.float32), torch.float32)
    spent = plan.epsilon()
    facts = [(e["step"], e["noise"], e["table"], e["relation"], e["delta"]) for e in plan.ledger.entries]
    assert facts == [(step, "seeded", "patients", "add_remove", 1e-5) for step in (4, 8, 12)]
    assert plan.ledger.entries[-1]["epsilon"] == spent
    with pytest.raises(AssayError, match="12 of its 12 steps are made"):
        trained(plan, Regression(torch.float32), torch.float32)
    assert plan.epsilon() == spent


def test_secure_noise_and_samples_never_repeat() -> None:
    plans = [plan_training(**SETTINGS, accountant="rdp") for _ in range(2)]
    assert [plan.noise.kind for plan in plans] == ["secure", "secure"]
    assert plans[0].sampler.batch(0).tolist() != plans[1].sampler.batch(0).tolist()
    one, other = (trained(plan, Regression(torch.float32), torch.float32) for plan in plans)
    assert not torch.equal(one, other)


def test_parts_of_a_step_change_nothing_but_memory() -> None:
    whole, parts = (plan_training(**SEEDED) for _ in range(2))
    expected = trained(whole, Regression(torch.float64), torch.float64)
    module = Regression(torch.float64)
    with quiet():
        trainer = Trainer(
            callbacks=[PrivateGradients(parts)], max_epochs=1, accelerator="cpu", accumulate_grad_batches=3,
            logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        trainer.fit(module, private_loader(parts, table(torch.float64), parts=3))
    torch.testing.assert_close(nn.utils.parameters_to_vector(module.parameters()).detach(), expected)


def test_a_precision_that_is_too_coarse_is_refused() -> None:
    with pytest.raises(AssayError, match=r"torch\.bfloat16, too coarse"):
        trained(plan_training(**SEEDED), Regression(torch.bfloat16), torch.bfloat16)


def test_a_table_of_another_size_is_refused() -> None:
    x, y = table(torch.float32)
    with pytest.raises(InputError, match="rows=50: the plan is for 60"):
        private_loader(plan_training(**SEEDED), (x[:50], y[:50]))


def test_a_sampler_of_another_plan_is_refused() -> None:
    plan, other = (plan_training(**{**SEEDED, "seed": seed}) for seed in (3, 4))
    with pytest.raises(AssayError, match="is not that of the plan"), quiet():
        Trainer(
            callbacks=[PrivateGradients(plan)], max_epochs=1, accelerator="cpu", logger=False,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        ).fit(Regression(torch.float32), private_loader(other, table(torch.float32)))  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"secure": True}, "seed=3: secure noise has no seed"),
        ({"seed": None}, "seed=None: noise that repeats needs a seed"),
        ({"clipping": "loose"}, "clipping=loose: must be one of flat, per_layer, automatic"),
        ({"relation": "nobody"}, "relation=nobody: must be one of zero_out, add_remove"),
        ({"relation": "replace_one"}, r"privacy\.relation=replace_one: amplification by sampling"),
        ({"batch_size": 61}, "batch_size=61: must be > 0 and at most the 60 rows"),
        ({"steps": 0}, "steps=0: must be >= 1"),
        ({"epsilon": 0.0}, r"privacy\.epsilon=0\.0: must be > 0"),
        ({"delta": 1.0}, r"privacy\.delta=1\.0"),
        ({"max_grad_norm": 0.0}, "max_grad_norm=0.0: must be > 0"),
        ({"accountant": "guess"}, r"privacy\.accountant=guess: must be one of"),
        ({"accountant": "gaussian"}, r"privacy\.accountant=gaussian: counts full participation"),
    ],
)
def test_a_plan_that_cannot_be_accounted_for_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        plan_training(**{**SEEDED, **change})


def test_clipping_is_by_row_and_not_by_batch() -> None:
    """One row with a gradient of any size moves the released sum by at most C: the noise-free difference shows it."""

    def summed(scale: float) -> Tensor:
        x, y = table(torch.float64)
        x[0] *= scale
        engine = PerSampleGradients(Regression(torch.float64).net)
        recorded = engine.record(lambda net, a, b: (net(a)[:, 0] - b) ** 2, x, y)
        return torch.cat([g.flatten() for g in recorded.clipped_sum(0.3).gradients.values()])

    assert 0 < float((summed(1e4) - summed(1.0)).norm()) <= 2 * 0.3
