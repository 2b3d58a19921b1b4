"""A network from the features of a row to its scaling law."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn

# sign_and_size: sign and log|c| are outputs of their own, and c has the likelier sign: the paper's.
# expected_sign: trained alike, but c is |c| times the expected sign, 2p - 1. Ours: the sign is learned from samples, whose
# mean is often of the wrong sign and then too large; both errors cancel in the product.
# direct: c is one output; the paper's ablation.
Form = Literal["sign_and_size", "expected_sign", "direct"]
OUTPUTS: dict[Form, int] = {"sign_and_size": 5, "expected_sign": 5, "direct": 4}
LOG_BETA_LIMIT = 2.0
ALPHA_PENALTY = 1e-5
WARM_UP, FIRST_RATE, LAST_RATE = 5, 1e-3, 1e-5


def signed_losses(outputs: Tensor, delta: Tensor, log_size: Tensor) -> tuple[Tensor, Tensor]:
    """Negative log-likelihoods L+ and L- [N], each a mean over samples, of |c| and of -|c|, constants left out.

    `outputs` [N, 5] are sign logit, log|c|, log alpha, log sigma and log beta; `delta` [N, m] was sampled at cardinalities
    with logarithms `log_size` [N, m]. Samples and mean are divided by the deviation, as a constant, before they are subtracted,
    which changes neither value nor gradient but keeps all numbers near one.
    """
    _, log_c, log_alpha, log_sigma, log_beta = (each[:, None] for each in outputs.unbind(1))
    log_deviation = log_sigma - log_beta.clamp(max=LOG_BETA_LIMIT).exp() / 2 * log_size
    fixed = log_deviation.detach()
    observed = delta * (-fixed).exp()
    mean = (log_c - log_alpha.exp() * log_size - fixed).exp()
    precision = (2 * (fixed - log_deviation)).exp()
    plus = (0.5 * (observed - mean).square() * precision + log_deviation).mean(1)
    minus = (0.5 * (observed + mean).square() * precision + log_deviation).mean(1)
    return plus, minus


def sign_and_size_losses(outputs: Tensor, delta: Tensor, log_size: Tensor) -> Tensor:
    """min(L+, L-) + BCE(sign logit, [L+ < L-]) + 1e-5 (alpha - 1)^2 for each row [N]; arguments as in `signed_losses`."""
    plus, minus = signed_losses(outputs, delta, log_size)
    positive = (plus < minus).to(outputs.dtype)
    guess = nn.functional.binary_cross_entropy_with_logits(outputs[:, 0], positive, reduction="none")
    return torch.minimum(plus, minus) + guess + ALPHA_PENALTY * (outputs[:, 2].exp() - 1).square()


def likelihood_losses(laws: Tensor, delta: Tensor, log_size: Tensor) -> Tensor:
    """Mean negative log-likelihood [N] of samples delta [N, m] under laws [N, 4]: c, alpha, log sigma, beta."""
    c, alpha, log_sigma, beta = (each[:, None] for each in laws.unbind(1))
    log_deviation = log_sigma - beta / 2 * log_size
    scaled = (delta - c * (-alpha * log_size).exp()) * (-log_deviation).exp()
    return (0.5 * scaled.square() + log_deviation).mean(1)


def without_last_layer(network: nn.Sequential, outputs: int) -> nn.Sequential:
    """The network with its last linear layer replaced by a zero one of `outputs` outputs; the other layers are shared."""
    *body, last = network
    assert isinstance(last, nn.Linear)
    with torch.device("meta"):  # nothing is drawn from the global generator
        fresh = nn.Linear(last.in_features, outputs, dtype=last.weight.dtype)
    fresh = fresh.to_empty(device=last.weight.device)
    nn.init.zeros_(fresh.weight)
    nn.init.zeros_(fresh.bias)
    return nn.Sequential(*body, fresh)


class AmortisedLaw(LightningModule):
    """Predicts the law Delta ~ N(c k^-alpha, sigma^2 k^-beta) of a row from its inputs and its class.

    `network` is a classifier whose last layer is replaced by a zero one with one block of outputs for each class; those of
    the row's class count. A batch is (inputs [N, d], label [N], delta [N, m], log cardinality [N, m]). AdamW from 1e-3 down
    to 1e-5 along a cosine, after five epochs of warm-up.

    Source: Covert et al. 2024 (arXiv 2405.20456), amortised estimator, as in the authors' code.
    """

    def __init__(self, network: nn.Sequential, classes: int, epochs: int, form: Form = "sign_and_size") -> None:
        super().__init__()
        self.form, self.classes, self._epochs = form, classes, epochs
        self.network = without_last_layer(network, OUTPUTS[form] * classes)

    def forward(self, inputs: Tensor, label: Tensor) -> Tensor:
        """The outputs of each row's class: [N, 5], or [N, 4] for form direct."""
        every = self.network(inputs).float().view(len(inputs), self.classes, OUTPUTS[self.form])
        own: Tensor = every[torch.arange(len(inputs), device=inputs.device), label]
        return own

    def laws(self, inputs: Tensor, label: Tensor) -> Tensor:
        """Predicted c, alpha, log sigma and beta: [N, 4]."""
        return self._laws_of(self(inputs, label))

    def _laws_of(self, outputs: Tensor) -> Tensor:
        log_alpha, log_sigma, log_beta = outputs[:, -3:].unbind(1)
        if self.form == "direct":
            c = outputs[:, 0]
        else:
            logit, size = outputs[:, 0], outputs[:, 1].exp()
            c = size * ((logit / 2).tanh() if self.form == "expected_sign" else torch.where(logit >= 0, 1.0, -1.0))
        beta = log_beta.clamp(max=LOG_BETA_LIMIT).exp()
        return torch.stack([c, log_alpha.exp(), log_sigma, beta], dim=1)

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor, Tensor], batch_idx: int) -> Tensor:
        """Mean loss of a batch."""
        inputs, label, delta, log_size = batch
        outputs = self(inputs, label)
        if self.form == "direct":
            return likelihood_losses(self._laws_of(outputs), delta, log_size).mean()
        return sign_and_size_losses(outputs, delta, log_size).mean()

    @torch.no_grad()
    def score(self, inputs: Tensor, label: Tensor, delta: Tensor, log_size: Tensor) -> float:
        """Mean negative log-likelihood of rows under their predicted laws, the predicted sign included."""
        return float(likelihood_losses(self.laws(inputs, label), delta, log_size).mean())

    @torch.no_grad()
    def fill_absent(self, counts: Tensor) -> None:
        """Gives classes without a training row the mean of the other classes' outputs, weighted by their rows [classes]."""
        last = self.network[-1]
        assert isinstance(last, nn.Linear)
        absent = counts == 0
        if not absent.any():
            return
        share = (counts / counts.sum()).to(last.weight)
        for parameter in (last.weight, last.bias):
            blocks = parameter.view(self.classes, OUTPUTS[self.form], -1)
            blocks[absent] = torch.einsum("c,cod->od", share, blocks)

    def configure_optimizers(self) -> Any:
        """AdamW whose rate is set for each epoch."""
        optimizer = torch.optim.AdamW(self.parameters(), lr=FIRST_RATE, eps=1e-6, weight_decay=1e-5)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: rate_factor(epoch, self._epochs))
        return [optimizer], [{"scheduler": schedule, "interval": "epoch"}]


def rate_factor(epoch: int, epochs: int) -> float:
    """Learning rate of an epoch (from 0) in units of 1e-3: linear up to 1 in five epochs, then a cosine down to 0.01."""
    if epoch < WARM_UP:
        return (epoch + 1) / WARM_UP
    last = LAST_RATE / FIRST_RATE
    done = (epoch + 1 - WARM_UP) / max(1, epochs - WARM_UP)
    return last + (1 - last) * (1 + math.cos(math.pi * min(done, 1.0))) / 2
