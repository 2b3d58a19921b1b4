"""One private release of each row's gradient with the whole budget, then values by post-processing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from assay.runs.cost import Meter
from assay.valuation.estimates import Estimates
from assay.valuation.gradient.estimates import single_valuation
from assay.valuation.gradient.permutation_fit import PermutationFit
from assay.valuation.gradient.public_paths import Matrix, PublicPaths
from assay.valuation.gradient.settings import GradientSettings
from assay.valuation.permutations import random_orders
from assay.valuation.valuator import Problem, Run, Valuation

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

    Each row's gradient at the start is clipped and noised with the whole budget; all rows are then valued along
    `evaluations` public paths, one-pass SGD over random orders of the valid rows, as if each had been met at every
    position. Touches are 1 whatever the evaluations. Each replicate has paths of its own, so that the variance over
    replicates is that of noise and paths; what few paths err by is common to all rows, and costs rank fidelity.

    With the negative loss a marginal contribution is taken to first order, ``-a y . grad V(theta)``: linear in the release, so
    that its noise adds no bias and the mean over all positions costs one gradient of the utility each. The accuracy is a step
    function: there it is the difference that a step along y makes, at one random position of each path.

    Guarantee: (epsilon, delta)-DP for each row, one Gaussian mechanism of sensitivity s C and deviation s C / mu.
    Source: [derived]; the clipping norm and paths as in `public_norm` and `PublicPaths`.
    """

    def __init__(
        self, settings: GradientSettings, problem: Problem, run: Run, purpose: str, replicates: int = 1
    ) -> None:
        self.settings, self.context, self.purpose = settings, run, purpose
        # a round that stands still at the start: clipped, accounted for, noised and saved like any other
        still = replace(settings, evaluations=1, learning_rate=0.0, permutations="plain", wave=1)
        self.fit = PermutationFit(still, problem, run, purpose, replicates)
        if self.fit.private is None:
            raise TypeError(f"privacy={problem.privacy.name}: releases no gradients to replay")
        self.private = self.fit.private

    def estimates(self, checkpoint: Path | None = None, *, redraws: int | None = None) -> Estimates:
        """The values with standard errors over paths and noise; `redraws` as in `replayed`."""
        released = self.fit.estimates(checkpoint)
        reuse, meter = self.private.reuse, Meter()
        if reuse is None:
            raise TypeError(f"privacy={self.private.mechanism.name}: leaves no releases to replay")
        replayed = self.replayed(reuse.mean_releases(1), redraws)
        self.context.advance(self.settings.evaluations - 1)
        return replace(
            released,
            values=replayed.values,
            std_errors=np.sqrt(replayed.path_variance + replayed.noise_variance),
            evaluations=np.full(replayed.values.shape, self.settings.evaluations),
            utility_evaluations=released.utility_evaluations + replayed.evaluations,
            cost=released.cost.plus(meter.cost()),
        )

    def valuation(self, checkpoint: Path | None = None) -> Valuation:
        """The first replicate with standard errors over paths and noise."""
        estimates = self.estimates(checkpoint, redraws=self.settings.bootstrap)
        by_redraws = self.settings.utility == "accuracy"
        freedom = (self.settings.bootstrap if by_redraws else self.settings.evaluations) - 1
        return single_valuation(estimates, estimates.std_errors[0], freedom)

    def replayed(self, releases: Tensor, redraws: int | None = None) -> Replayed:
        """Values from releases [R, n, P].

        The variance over the noise of the release is exact to first order; for the accuracy it is that over `redraws`
        replays of the same release with fresh noise around it (parametric bootstrap; NaN without).
        """
        replay = self._by_differences if self.settings.utility == "accuracy" else self._to_first_order
        parts = [
            replay(self._paths(releases.shape[1], r), release, r, redraws or 0) for r, release in enumerate(releases)
        ]
        values, paths, noise = (np.stack([part[place] for part in parts]) for place in range(3))
        return Replayed(values, paths, noise, sum(part[3] for part in parts))

    def _to_first_order(self, paths: PublicPaths, release: Tensor, replicate: int, redraws: int) -> Parts:
        directions = -self.settings.learning_rate * paths.directions()
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
        return float(self.private.deviations[0])

    def _paths(self, steps: int, replicate: int) -> PublicPaths:
        """`evaluations` paths of `steps` steps, which begin a new order of the valid rows when one is used up."""
        valid, settings, device = self.fit.valid, self.settings, self.context.trainer.device
        passes = -(-steps // len(valid))
        names = (self.purpose, "public paths", str(replicate))
        orders = random_orders(self.context.streams, len(valid), settings.evaluations, *names)
        order = np.concatenate([orders(number) for number in range(1, passes + 1)], axis=1)[:, :steps]
        rows = type(valid)(valid.features.to(device), valid.target.to(device))
        weights = settings.weights(steps)
        return PublicPaths(self.fit.model, self.fit.start.to(device), rows, order, settings.learning_rate, weights)


def _over_paths(single: Matrix) -> tuple[Matrix, Matrix]:
    """Mean over the paths of [M, n] and its variance; no variance is known from one path."""
    variance = single.var(axis=0, ddof=1) / len(single) if len(single) > 1 else np.full(single.shape[1], np.nan)
    return single.mean(axis=0), variance
