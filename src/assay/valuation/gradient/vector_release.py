"""One private release of each row's gradient with the whole budget, then values by post-processing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from assay.learning.callbacks.reuse_releases import ReuseReleases
from assay.runs.cost import Meter
from assay.valuation.gradient.estimates import Estimates
from assay.valuation.gradient.permutation_fit import PermutationFit
from assay.valuation.gradient.public_paths import Matrix, PublicPaths
from assay.valuation.permutations import random_orders
from assay.valuation.semivalues import semivalue_weights
from assay.valuation.valuator import Problem, Run

if TYPE_CHECKING:
    from assay.valuation.gradient.semivalue import GradientSemivalue


Parts = tuple[Matrix, Matrix, Matrix, int]


@dataclass(frozen=True, eq=False)
class Replayed:
    """Values, their variance over paths and over the noise of the release [R, n] each; utility evaluations."""

    values: Matrix
    path_variance: Matrix
    noise_variance: Matrix
    evaluations: int


class VectorRelease:
    """Values of rows from one Gaussian release each, at the public start and clipped to a public norm.

    Each row's gradient at the start is clipped, noised with the whole budget and kept; all rows are then valued along
    `evaluations` public paths, one-pass SGD over random orders of the valid rows, as if each had been met at every
    position. Touches are 1 whatever the evaluations. Each replicate has paths of its own, so that the variance over
    replicates is that of noise and paths; what few paths err by is common to all rows, and costs rank fidelity.

    With the negative loss a marginal contribution is taken to first order, ``-a y . grad V(theta)``: linear in the release, so
    that its noise adds no bias and the mean over all positions costs one gradient of the utility each. The accuracy is a step
    function: there it is the difference that a step along y makes, at one random position of each path.

    Guarantee: (epsilon, delta)-DP for each row, one Gaussian mechanism of sensitivity s C and deviation s C / mu.
    Source: [derived]; the clipping norm and paths as in `public_norm` and `PublicPaths`.
    """

    def __init__(self, choice: GradientSemivalue, problem: Problem, run: Run, purpose: str) -> None:
        self.choice, self.problem, self.context, self.purpose = choice, problem, run, purpose
        # a round that stands still at the start: clipped, accounted for, noised and saved like any other
        still = replace(choice, evaluations=1, learning_rate=0.0, permutations="plain", wave=1)
        self.fit = PermutationFit(still, problem, run, purpose)

    def run(self, checkpoint: Path | None, *, redraws: int | None = None) -> Estimates:
        """The values with standard errors over paths and noise; `redraws` as in `replayed`."""
        released = self.fit.run(checkpoint)
        reuse, meter = self.fit.reuse, Meter()
        if not isinstance(reuse, ReuseReleases):
            raise TypeError(f"privacy={self.problem.privacy.name}: keeps no releases to replay")
        found = self.replayed(reuse.mean_releases(1), redraws)
        self.context.advance(self.choice.evaluations - 1)
        return replace(
            released,
            values=found.values,
            std_errors=np.sqrt(found.path_variance + found.noise_variance),
            evaluations=np.full(found.values.shape, self.choice.evaluations),
            utility_evaluations=released.utility_evaluations + found.evaluations,
            cost=released.cost.plus(meter.cost()),
        )

    def replayed(self, releases: Tensor, redraws: int | None = None) -> Replayed:
        """Values from releases [R, n, P].

        The variance over the noise of the release is exact to first order; for the accuracy it is that over `redraws`
        replays of the same release with fresh noise around it (parametric bootstrap; NaN without).
        """
        replay = self._by_differences if self.choice.utility == "accuracy" else self._to_first_order
        parts = [
            replay(self._paths(releases.shape[1], r), release, r, redraws or 0) for r, release in enumerate(releases)
        ]
        values, paths, noise = (np.stack([part[place] for part in parts]) for place in range(3))
        return Replayed(values, paths, noise, sum(part[3] for part in parts))

    def _to_first_order(self, paths: PublicPaths, release: Tensor, replicate: int, redraws: int) -> Parts:
        directions = -self.choice.learning_rate * paths.directions()
        single = (directions @ release.T).double().cpu().numpy()
        noise = self._deviation() ** 2 * float(directions.mean(0).double().square().sum())
        return *_over_paths(single), np.full(len(release), noise), single.size

    def _by_differences(self, paths: PublicPaths, release: Tensor, replicate: int, redraws: int) -> Parts:
        names, (rows, _) = (self.purpose, "replay", str(replicate)), release.shape
        orders = random_orders(self.context.streams, rows, len(paths.order), *names)(1)
        values, over_paths = _over_paths(paths.differences(release[None], orders, "accuracy")[:, 0])
        noise, walked = np.full(rows, np.nan), 2 * len(paths.order) * rows
        if redraws > 1:
            generator = torch.Generator().manual_seed(self.context.streams.seed("bootstrap noise", *names))
            draw = torch.randn((redraws, *release.shape), generator=generator, dtype=release.dtype)
            again = release + self._deviation() * draw.to(release.device)
            noise = paths.differences(again, orders, "accuracy").mean(axis=0).var(axis=0, ddof=1)
            walked += (redraws + 1) * len(paths.order) * rows
        return values, over_paths, noise, walked

    def _deviation(self) -> float:
        return float(self.fit.privacy.noise_multipliers(1)[0]) * self.fit.privacy.max_grad_norm

    def _paths(self, steps: int, replicate: int) -> PublicPaths:
        """`evaluations` paths of `steps` steps, which begin a new order of the valid rows when one is used up."""
        valid, choice, device = self.fit.valid, self.choice, self.context.trainer.device
        passes = -(-steps // len(valid))
        names = (self.purpose, "public paths", str(replicate))
        orders = random_orders(self.context.streams, len(valid), choice.evaluations, *names)
        order = np.concatenate([orders(number) for number in range(1, passes + 1)], axis=1)[:, :steps]
        rows = type(valid)(valid.features.to(device), valid.target.to(device))
        weights = semivalue_weights(choice.semivalue, steps, choice.alpha, choice.beta)
        return PublicPaths(self.fit.model, self.fit.start.to(device), rows, order, choice.learning_rate, weights)


def _over_paths(single: Matrix) -> tuple[Matrix, Matrix]:
    """Mean over the paths of [M, n] and its variance; no variance is known from one path."""
    variance = single.var(axis=0, ddof=1) / len(single) if len(single) > 1 else np.full(single.shape[1], np.nan)
    return single.mean(axis=0), variance
