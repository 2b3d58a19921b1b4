"""Trajectories of one-pass SGD that reveal no private row, or only a private mean of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assay.learning.models.replicated import ReplicatedModel
from assay.learning.modules.permutation_pass import Rows
from assay.privacy.clipping import Clip
from assay.valuation.gradient.public_paths import PublicPaths

POSITIONS = 25
"""Places along a trajectory at which marginal contributions are taken."""


@dataclass(frozen=True)
class MeanGradientPath:
    """Descent along the noised mean of clipped gradients of the private rows, in `steps` steps for each replicate.

    A step's sensitivity is that of `clip` over n rows, its noise has `deviation`; `norm` is what gradients are clipped to.
    Guarantee: all steps together are mu-GDP with mu = clip.sensitivity.value / n * sqrt(steps) / deviation.
    """

    steps: int
    clip: Clip
    deviation: float
    norm: float


def positions_of(weights: NDArray[np.float64], count: int = POSITIONS) -> NDArray[np.int64]:
    """Coalition sizes [count] at which to take marginal contributions: midpoints of equal shares of the semivalue's weights.

    weights [n] are those of coalitions of 0 .. n - 1 rows, summing to n; the plain mean over these sizes is then the
    stratified estimate of the weighted mean over all. A size may come up more than once.
    """
    count = min(count, len(weights))
    reached = np.cumsum(weights) / weights.sum()
    middles = (np.arange(count) + 0.5) / count
    return np.searchsorted(reached, middles).clip(max=len(weights) - 1).astype(np.int64)


def public_paths(
    model: ReplicatedModel,
    start: Tensor,
    public: Rows,
    *,
    steps: int,
    positions: NDArray[np.int64],
    learning_rate: float,
    paths: int,
    generator: np.random.Generator,
) -> Tensor:
    """Parameters [paths, positions, P] of SGD over random permutations of public rows, each `steps` rows long.

    Fewer public rows than steps are gone through again in another order. Reads no private row.
    """
    laps = -(-steps // len(public))
    orders = np.concatenate(
        [np.argsort(generator.random((paths, len(public))), axis=1, kind="stable") for _ in range(laps)], axis=1
    )
    path = PublicPaths(model, start, public, orders[:, :steps], learning_rate, np.ones(steps))
    return path.thetas(positions)


def mean_gradient_path(
    model: ReplicatedModel,
    start: Tensor,
    private: Rows,
    choice: MeanGradientPath,
    *,
    length: int,
    learning_rate: float,
    draws: Tensor,
) -> Tensor:
    """Parameters [steps + 1, P] along one private trajectory; draws [steps, P] are standard normal.

    Each step stands for length / steps rows of a one-pass SGD.
    """
    stride = length / choice.steps
    points = [start]
    for step in range(choice.steps):
        theta = points[-1]
        gradient = clipped_mean(model, theta, private, choice.clip) + choice.deviation * draws[step]
        points.append(theta - learning_rate * stride * gradient)
    return torch.stack(points)


def at_positions(points: Tensor, positions: NDArray[np.int64], length: int) -> Tensor:
    """Parameters [positions, P] of a trajectory at numbers of rows, between its points [steps + 1, P] by interpolation."""
    steps = len(points) - 1
    place = torch.from_numpy(positions * steps / length).to(points)
    before = place.floor().long().clamp(max=steps - 1)
    share = (place - before)[:, None]
    return points[before] * (1 - share) + points[before + 1] * share


def clipped_mean(model: ReplicatedModel, theta: Tensor, rows: Rows, clip: Clip, room: int = 8_000_000) -> Tensor:
    """Mean [P] over rows of their clipped gradients at theta [P]."""
    total = torch.zeros_like(theta)
    for some in torch.split(torch.arange(len(rows)), max(1, room // theta.numel())):
        total += clip(model.row_gradients(theta.expand(len(some), -1), rows.features[some], rows.target[some])).sum(0)
    return total / len(rows)


def spread(paths: Tensor, positions: NDArray[np.int64], step: float) -> Tensor:
    """Deviations [M, T, P] of trajectories from their mean: what single rows do to a path, without its direction.

    At a position of i rows their root mean square is at most sqrt(i) steps of length `step`, which is as far as so many
    clipped gradients in random directions go: public rows on which SGD diverges carry no path off.
    """
    deviations = paths - paths.mean(0, keepdim=True)
    size = deviations.square().sum(-1).mean(0).sqrt()
    most = step * torch.from_numpy(positions).to(size).sqrt()
    scale = torch.where(size > most, most / size, torch.ones_like(size))
    return deviations * scale[:, None]
