"""Changes that released gradients would make along training runs on public rows alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assay.learning.models.replicated import ReplicatedModel, path_utility
from assay.learning.modules.permutation_pass import Rows

ROOM = 8_000_000  # numbers of the copies whose gradients are taken at a time
Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PublicPaths:
    """One-pass SGD over public rows: path m takes the rows order[m] of `rows` one by one, from `start` [P].

    `weights` [n] are a semivalue's by position, one for each step of a path. Everything here is a function of public rows,
    so that values computed from private releases along the paths are post-processing of those.
    """

    model: ReplicatedModel
    start: Tensor
    rows: Rows
    order: NDArray[np.int64]
    learning_rate: float
    weights: Matrix

    def _theta(self) -> Tensor:
        return self.start.to(self.rows.features).expand(len(self.order), -1).clone()

    def _step(self, theta: Tensor, place: int) -> None:
        rows = torch.from_numpy(self.order[:, place].copy()).to(theta.device)
        gradient = self.model.row_gradients(theta, self.rows.features[rows], self.rows.target[rows])
        theta.sub_(gradient, alpha=self.learning_rate)

    @torch.no_grad()
    def thetas(self, positions: NDArray[np.int64]) -> Tensor:
        """Parameters [M, positions, P] of every path before it takes the row at each position; a position may come twice."""
        wanted: dict[int, list[int]] = {}
        for slot, position in enumerate(positions.tolist()):
            wanted.setdefault(position, []).append(slot)
        theta = self._theta()
        passed = theta.new_empty(len(theta), len(positions), theta.shape[1])
        for place in range(int(positions.max()) + 1):
            for slot in wanted.get(place, ()):
                passed[:, slot] = theta
            self._step(theta, place)
        return passed

    @torch.no_grad()
    def directions(self) -> Tensor:
        """Mean over positions of weight times gradient of minus the mean public loss, path by path [M, P].

        To first order a row that is met with the gradient y changes the utility by ``-learning_rate * y . direction`` in
        the mean over positions. Costs a forward and a backward pass over the public rows for each position of a path.
        """
        theta = self._theta()
        total = torch.zeros_like(theta)
        for place, weight in enumerate(self.weights.tolist()):
            total.add_(self._utility_gradient(theta), alpha=weight / len(self.weights))
            self._step(theta, place)
        return total

    def _utility_gradient(self, theta: Tensor) -> Tensor:
        parts: list[Tensor] = []
        for copies in torch.split(theta, max(1, ROOM // theta.shape[1])):
            with torch.enable_grad():
                leaf = copies.clone().requires_grad_()
                reached = path_utility(self.model, leaf, self.rows.features, self.rows.target, "negative_loss").sum()
                parts += torch.autograd.grad(reached, leaf)
        return torch.cat(parts)

    @torch.no_grad()
    def differences(self, releases: Tensor, orders: NDArray[np.int64], utility: str) -> Matrix:
        """Weighted change of the utility by one step along each release, path by path [M, R, n].

        Path m meets row orders[m, i] at position i: ``w(i) [V(theta_i - learning_rate * y) - V(theta_i)]`` with the row's
        releases y in releases [R, n, P]. Costs R + 1 utility evaluations for each position of a path.
        """
        theta, (replicates, count, _) = self._theta(), releases.shape
        changes = np.empty((len(orders), replicates, count))
        paths = np.arange(len(orders))
        for place, weight in enumerate(self.weights.tolist()):
            met = orders[:, place]
            stepped = theta - self.learning_rate * releases[:, torch.from_numpy(met.copy()).to(releases.device)]
            copies = torch.cat([theta, stepped.flatten(0, 1)])
            reached = path_utility(self.model, copies, self.rows.features, self.rows.target, utility)
            before, after = reached[: len(paths)], reached[len(paths) :].view(replicates, -1)
            changes[paths, :, met] = weight * (after - before).double().cpu().numpy().T
            self._step(theta, place)
        return changes
