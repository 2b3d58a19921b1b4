"""Unchanged models of Hugging Face in a private training: gradients of a row alone, and a training that runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from pytorch_lightning import LightningModule, Trainer
from torch import Tensor, nn

from assay.gradients import PerSampleGradients
from assay.learning.callbacks.private_gradients import PrivateGradients
from assay.learning.fitting import quiet
from assay.learning.private_loader import private_loader
from assay.privacy.plan import plan_training

transformers = pytest.importorskip("transformers")

ROWS, TOKENS = 24, 7
IDS = torch.randint(1, 30, (ROWS, TOKENS), generator=torch.Generator().manual_seed(0))
Y = torch.randint(2, (ROWS,), generator=torch.Generator().manual_seed(1))


def bert() -> nn.Module:
    config = transformers.BertConfig(
        vocab_size=30, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12,
        max_position_embeddings=16,
    )  # fmt: skip
    model: nn.Module = transformers.BertForSequenceClassification(config)
    return model


def gpt2() -> nn.Module:
    config = transformers.GPT2Config(vocab_size=30, n_positions=16, n_embd=8, n_layer=2, n_head=2, pad_token_id=0)
    model: nn.Module = transformers.GPT2ForSequenceClassification(config)
    return model


def llama() -> nn.Module:
    config = transformers.LlamaConfig(
        vocab_size=30, hidden_size=8, intermediate_size=12, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=16, pad_token_id=0,
    )  # fmt: skip
    model: nn.Module = transformers.LlamaForSequenceClassification(config)
    return model


MODELS = {"BERT": bert, "GPT-2": gpt2, "Llama, whose norms are its own": llama}


class Classifier(LightningModule):
    """A user's module around a model."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        return nn.functional.cross_entropy(self.model(input_ids=batch[0]).logits, batch[1])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.parameters(), lr=1e-2)


@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_those_of_a_row_alone(name: str) -> None:
    torch.manual_seed(0)
    model = MODELS[name]().double().eval()

    def losses(model: nn.Module, ids: Tensor, y: Tensor) -> Tensor:
        return nn.functional.cross_entropy(model(input_ids=ids).logits, y, reduction="none")

    recorded = PerSampleGradients(model).record(losses, IDS[:4], Y[:4])
    for row in range(4):
        model.zero_grad()
        nn.functional.cross_entropy(model(input_ids=IDS[row : row + 1]).logits, Y[row : row + 1]).backward()
        mine = recorded.take(torch.tensor([row])).materialised()
        for key, parameter in model.named_parameters():
            wanted = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            torch.testing.assert_close(mine[key][0], wanted, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize("name", MODELS)
def test_it_trains_with_its_dropout(name: str, precision: Any) -> None:
    torch.manual_seed(0)
    build: Callable[[], nn.Module] = MODELS[name]
    module = Classifier(build())
    plan = plan_training(
        rows=ROWS, batch_size=8, steps=3, epsilon=8.0, delta=1e-5, secure=False, seed=1, accountant="rdp"
    )
    with quiet():
        Trainer(
            callbacks=[PrivateGradients(plan)], max_epochs=1, accelerator="cpu", logger=False, precision=precision,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        ).fit(module, private_loader(plan, (IDS, Y)))  # fmt: skip
    assert plan.epsilon() == pytest.approx(8.0, rel=0.05)
    assert all(bool(torch.isfinite(p).all()) for p in module.parameters())
