"""Scaling laws from one network that reads what a point looks like, so that points share their samples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assay.learning.modules.amortised_law import Form
from assay.learning.trainer import Trainer
from assay.valuation.contributions.samples import Contributions
from assay.valuation.contributions.setting import Labelled
from assay.valuation.laws.amortised_errors import excess, observe, unseen_laws
from assay.valuation.laws.amortised_training import LawTable, Member, train_member
from assay.valuation.laws.power_law import PowerLaws

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Inputs = Literal["features", "covariates", "both"]
UnitsOf = Literal["raw", "centred"]

COVARIATE_LIMIT = 4.0


@dataclass(frozen=True)
class Units:
    """Cardinalities are divided by `size` and contributions by `scale` before a network sees them."""

    size: float = 1.0
    scale: float = 1.0

    @classmethod
    def of(cls, samples: Contributions, how: UnitsOf) -> Units:
        """Ones (raw), or the geometric mean of the cardinalities and the mean absolute contribution (centred)."""
        if how == "raw":
            return cls()
        scale = float(np.abs(samples.delta).mean())
        return cls(float(np.exp(np.log(samples.cardinality).mean())), scale if scale > 0 else 1.0)


@dataclass(frozen=True, eq=False)
class Reader:
    """Turns points into what a network reads: features, covariates (standardised, clipped at 4) or both.

    A regression's target is read too, since it has no class whose outputs could be taken.
    """

    inputs: Inputs
    classes: int
    device: torch.device
    mean: Floats | float = 0.0
    deviation: Floats | float = 1.0

    @classmethod
    def of(cls, inputs: Inputs, classes: int, device: torch.device, covariates: Floats | None) -> Reader:
        """Standardises as the given covariates [n, q] need it; a constant covariate becomes zero."""
        if covariates is None or inputs == "features":
            return cls(inputs, classes, device)
        deviation = covariates.std(axis=0)
        return cls(inputs, classes, device, covariates.mean(axis=0), np.where(deviation > 0, deviation, 1.0))

    def read(self, points: Labelled, covariates: Floats | None) -> tuple[Tensor, Tensor]:
        """Inputs [n, d] and labels [n] of points; ValueError where covariates are missing or of another length."""
        parts = [] if self.inputs == "covariates" else [points.features]
        if self.inputs != "features":
            if covariates is None or len(covariates) != len(points):
                raise ValueError(f"inputs={self.inputs}: needs covariates of all {len(points)} points")
            parts.append(((covariates - self.mean) / self.deviation).clip(-COVARIATE_LIMIT, COVARIATE_LIMIT))
        label = points.target.astype(np.int64)
        if self.classes == 0:
            parts.append(points.target[:, None].astype(np.float64))
            label = np.zeros(len(points), dtype=np.int64)
        inputs = torch.from_numpy(np.concatenate(parts, axis=1)).float()
        return inputs.to(self.device), torch.from_numpy(label).to(self.device)


@dataclass(frozen=True, eq=False)
class AmortisedLaws:
    """Trained networks, which give the laws of any points, sampled or not.

    `reference` is a middle cardinality. Squared standard errors are the networks' spread times `inflation`; what points' own
    levels add to predicted ones has the variance `misfit` times that of one sample at the reference. Both are measured on
    points that a network never saw.
    """

    members: Sequence[Member]
    reader: Reader
    units: Units
    reference: float
    inflation: float = 1.0
    misfit: float = 0.0

    def predict(self, points: Labelled, covariates: Floats | None = None) -> PowerLaws:
        """The laws of points: of several networks the mean of level, alpha, spread and beta; errors are NaN for one network."""
        each = self._each(points, covariates)
        return self._laws(each.mean(axis=0), self._covariance(each), max(1.0, len(each) - 1.0))

    def updated(self, points: Labelled, samples: Contributions, covariates: Floats | None = None) -> PowerLaws:
        """The same, with levels moved towards the estimate of each point's own samples, by the precisions of the two [derived].

        The level's error is then that of the two together, and taken to be independent of the other parameters'.
        """
        each = self._each(points, covariates)
        laws, covariance = each.mean(axis=0), self._covariance(each)
        own = observe(samples.delta, np.log(samples.cardinality / self.reference), laws)
        prior = self.misfit * laws[:, 2] ** 2
        share = prior / (prior + own.variance)
        laws[:, 0] += share * (own.estimate - laws[:, 0])
        if len(each) > 1:
            covariance[:, 0, :] = covariance[:, :, 0] = 0.0
            covariance[:, 0, 0] = share * own.variance
        return self._laws(laws, covariance, math.inf)

    def calibrated(self, points: Labelled, samples: Contributions, covariates: Floats | None = None) -> AmortisedLaws:
        """The same networks with `inflation` (never below 1) and `misfit` measured on the points that some never saw."""
        each = self._each(points, covariates)
        unseen, laws = unseen_laws(self.members, each)
        judged = samples.of_points(unseen)
        own = observe(judged.delta, np.log(judged.cardinality / self.reference), laws)
        error = own.estimate - laws[:, 0]
        misfit = excess(error, own.variance, laws[:, 2] ** 2)
        if len(self.members) == 1:
            return replace(self, misfit=misfit)
        between = each[:, unseen, 0].var(axis=0, ddof=1)
        inflation = excess(error, own.variance, between)
        return replace(self, misfit=misfit, inflation=max(1.0, inflation))

    def _each(self, points: Labelled, covariates: Floats | None) -> Floats:
        """Level, alpha, spread and beta by each network, in the units of the data: [E, n, 4]."""
        inputs, label = self.reader.read(points, covariates)
        each = np.stack([member.laws(inputs, label) for member in self.members])
        c, alpha, log_sigma, beta = np.moveaxis(each, -1, 0)
        log = math.log(self.reference / self.units.size)
        level = self.units.scale * c * np.exp(-alpha * log)
        spread = self.units.scale * np.exp(log_sigma - beta / 2 * log)
        return np.stack([level, alpha, spread, beta], axis=-1)

    def _covariance(self, each: Floats) -> Floats:
        """Of level, alpha, spread and beta [n, 4, 4]; NaN for a single network."""
        if len(each) == 1:
            return np.full((each.shape[1], 4, 4), np.nan)
        centred = each - each.mean(axis=0)
        return np.asarray(self.inflation * np.einsum("eni,enj->nij", centred, centred) / (len(each) - 1))

    def _laws(self, laws: Floats, covariance: Floats, freedom: float) -> PowerLaws:
        level, alpha, spread, beta = laws.T
        return PowerLaws(level, alpha, spread, beta, np.full(len(level), self.reference), covariance, freedom)


@dataclass(frozen=True, eq=False)
class Amortised:
    """The amortised estimator: a network from inputs to laws, trained on the samples of all points at once.

    `points` are those that are sampled, in order; `classes` is 0 for a regression, whose single head without classes is
    ours. `inputs` features is the paper's; `units` raw too; `form` direct its ablation. With `ensemble` > 1 networks are
    trained on resampled points, and their spread gives standard errors; one network has none. With `update` (ours) what the
    networks predict is only where each point's own samples start from. The likelihood is that of samples given their
    cardinalities, so that no density of cardinalities biases it.

    Source: Covert et al. 2024 (arXiv 2405.20456).
    """

    points: Labelled
    classes: int
    inputs: Inputs = "features"
    form: Form = "sign_and_size"
    units: UnitsOf = "raw"
    ensemble: int = 1
    epochs: int = 100
    update: bool = False
    trainer: Trainer = field(default_factory=Trainer)

    def fit(
        self, samples: Contributions, covariates: Floats | None = None, generator: np.random.Generator | None = None
    ) -> PowerLaws:
        """The laws of the sampled points."""
        trained = self.train(samples, covariates, generator)
        if self.update:
            return trained.updated(self.points, samples, covariates)
        return trained.predict(self.points, covariates)

    def train(
        self, samples: Contributions, covariates: Floats | None = None, generator: np.random.Generator | None = None
    ) -> AmortisedLaws:
        """Networks for the laws of any points; ValueError without a generator, or when samples and points do not match."""
        if generator is None:
            raise ValueError("the amortised estimator draws: it needs a generator")
        if samples.points != len(self.points):
            raise ValueError(f"samples of {samples.points} points for {len(self.points)} points")
        units = Units.of(samples, self.units)
        reader = Reader.of(self.inputs, self.classes, self.trainer.device, covariates)
        inputs, label = reader.read(self.points, covariates)
        delta = torch.from_numpy(samples.delta / units.scale).float().to(inputs.device)
        log_size = torch.from_numpy(np.log(samples.cardinality / units.size)).float().to(inputs.device)
        table = LawTable(inputs, label, delta, log_size, self.classes)
        resample = self.ensemble > 1
        members = [
            train_member(table, self.form, self.epochs, resample, self.trainer, each)
            for each in generator.spawn(self.ensemble)
        ]
        laws = AmortisedLaws(members, reader, units, reference=float(np.exp(np.log(samples.cardinality).mean())))
        return laws.calibrated(self.points, samples, covariates)
