"""Federated averaging with what each client contributes in each round, many replicates at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import permutations as all_permutations
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningModule
from torch import Tensor

from assay.learning.callbacks.rounds import RoundCallback
from assay.learning.models.party_mean import PartyMean
from assay.learning.models.replicated import path_utility
from assay.learning.modules.permutation_pass import PATH_ROOM, Rows
from assay.learning.participation import Participation

Weights = Callable[[int], NDArray[np.float64]]


class FederatedRounds(LightningModule):
    """Trains a global model by federated averaging and hands on every client's contribution to every round.

    In round t each participating client makes `local_steps` full-batch steps from the global model and sends their sum, as
    the RoundCallbacks have turned it; the global model moves by the mean of the updates, weighted by the clients' sizes
    (McMahan et al. 2017). A client's contribution is its Shapley value in the game over the round's clients whose value is
    the utility of the global model moved by a coalition's updates alone: all orders of the clients where there are no more
    than `permutations`, else that many random ones. Computed from updates already received: costs no privacy.

    ``on_row_gradient`` gets a client's gradient with the number of its release, from 1: at each local step when
    `release_each_step`, else once for the mean of the steps. Manual optimisation: one batch is a tensor of round numbers.
    Source: Wang et al. 2020, "A principled approach to data valuation for federated learning" (federated Shapley value).
    """

    features: Tensor
    target: Tensor
    theta: Tensor
    valid_features: Tensor
    valid_target: Tensor
    sizes: Tensor

    def __init__(
        self,
        model: PartyMean,
        clients: Rows,
        sizes: Sequence[int],
        valid: Rows,
        start: Tensor,
        participation: Participation,
        keys: Callable[[int], np.random.Generator],
        *,
        learning_rate: float,
        local_steps: int,
        release_each_step: bool,
        permutations: int,
        utility: str,
        replicates: int = 1,
        weights: Weights = np.ones,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.model, self.participation, self.keys, self.weights = model, participation, keys, weights
        self.learning_rate, self.local_steps, self.release_each_step = learning_rate, local_steps, release_each_step
        self.permutations, self.utility, self.replicates = permutations, utility, replicates
        tensors = {"features": clients.features, "target": clients.target}
        tensors |= {"valid_features": valid.features, "valid_target": valid.target}
        tensors["sizes"] = torch.tensor(sizes).to(clients.features)
        tensors["theta"] = start.to(clients.features).expand(replicates, -1).clone()
        for name, tensor in tensors.items():
            self.register_buffer(name, tensor, persistent=False)  # so that Lightning moves them to the device
        self.utility_evaluations = 0
        self._counts = np.zeros(participation.clients, dtype=np.int64)
        self._round_callbacks: list[RoundCallback] = []

    def configure_optimizers(self) -> None:
        """None: averaging is written out."""

    def on_fit_start(self) -> None:
        """Finds the callbacks that take part in every step."""
        self._round_callbacks = [c for c in self.trainer.callbacks if isinstance(c, RoundCallback)]  # type: ignore[attr-defined]

    @torch.no_grad()
    def training_step(self, batch: Tensor, batch_idx: int) -> None:
        """Carries out the rounds whose numbers are in the batch."""
        for number in batch.tolist():
            self._round(int(number))

    def _round(self, number: int) -> None:
        clients = self.participation.rounds[number - 1]
        order = np.tile(clients, (self.replicates, 1))
        for callback in self._round_callbacks:
            callback.on_round_start(self, number, order)
        marginals = np.zeros((self.replicates, len(clients)))
        if len(clients):
            updates = torch.stack([self._update(int(client), number) for client in clients], dim=1)
            marginals = self._contributions(number, clients, updates)
            weights = self.sizes[clients]
            self.theta.sub_(torch.einsum("s,rsp->rp", weights / weights.sum(), updates), alpha=self.learning_rate)
        for callback in self._round_callbacks:
            callback.on_round_end(self, number, order, marginals)

    def _update(self, client: int, number: int) -> Tensor:
        """Sum of the client's local steps [R, P], as it leaves the client."""
        rows = torch.full((self.replicates,), client, device=self.device)
        features, target = self.features[rows], self.target[rows]
        local, total = self.theta.clone(), torch.zeros_like(self.theta)
        done = int(self._counts[client])
        for step in range(self.local_steps):
            gradient = self.model.row_gradients(local, features, target)
            if self.release_each_step:
                gradient = self._released(gradient, rows, done * self.local_steps + step + 1)
            local.sub_(gradient, alpha=self.learning_rate)
            total.add_(gradient)
        self._counts[client] += 1
        if self.release_each_step:
            return total
        return self._released(total / self.local_steps, rows, done + 1) * self.local_steps

    def _released(self, gradient: Tensor, rows: Tensor, release: int) -> Tensor:
        for callback in self._round_callbacks:
            gradient = callback.on_row_gradient(self, gradient, rows, release)
        return gradient

    def _contributions(self, number: int, clients: NDArray[np.int64], updates: Tensor) -> NDArray[np.float64]:
        """Weighted mean marginal utility [R, S] of each client's update over orders of the round's clients."""
        orders, count = self._orders(number, len(clients)), len(clients)  # [R, M, S]
        lanes, gains = np.arange(self.replicates)[:, None, None], np.zeros((self.replicates, count))
        before = self._utility(self.theta)[:, None, None]
        block = max(1, PATH_ROOM // (updates.numel() * count))
        for part in np.split(orders, range(block, orders.shape[1], block), axis=1):
            places = torch.from_numpy(part).to(self.device)
            weights = self.sizes[clients][places]
            sums = (weights[..., None] * updates[lanes, places]).cumsum(2) / weights.cumsum(2)[..., None]
            moved = self.theta[:, None, None] - self.learning_rate * sums
            reached = torch.cat(
                [before.expand(-1, part.shape[1], -1), self._utility(moved.flatten(0, 2)).view(part.shape)], 2
            )
            marginals = reached.diff(dim=2).double().cpu().numpy() * self.weights(count)
            np.add.at(gains, (lanes, part), marginals)
        self.utility_evaluations += self.replicates * (1 + orders[0].size)
        gains /= orders.shape[1]
        return gains

    def _orders(self, number: int, count: int) -> NDArray[np.int64]:
        if math.factorial(count) <= self.permutations:
            every = np.array(list(all_permutations(range(count))))
            return np.broadcast_to(every, (self.replicates, *every.shape)).copy()
        return np.argsort(self.keys(number).random((self.replicates, self.permutations, count)), axis=2)

    def _utility(self, copies: Tensor) -> Tensor:
        return path_utility(self.model, copies, self.valid_features, self.valid_target, self.utility)

    def get_extra_state(self) -> dict[str, Any]:
        """The global model, the participations and the count of utility evaluations."""
        return {
            "theta": self.theta.cpu(),
            "counts": torch.from_numpy(self._counts.copy()),
            "utility_evaluations": self.utility_evaluations,
        }

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Takes the state of an interrupted fit."""
        self.theta.copy_(state["theta"])
        self._counts = state["counts"].numpy().copy()
        self.utility_evaluations = int(state["utility_evaluations"])
