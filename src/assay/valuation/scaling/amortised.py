"""Scaling laws from one network that reads what a point looks like, so that points share their samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assay.learning.modules.amortised_law import Form
from assay.learning.trainers import TrainerSpec
from assay.valuation.scaling.amortised_training import LawTable, Member, train_member
from assay.valuation.scaling.contributions import Contributions
from assay.valuation.scaling.power_law import PowerLaws
from assay.valuation.scaling.setting import Labelled

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
    """Trained networks, which tell the laws of any points, sampled or not."""

    members: Sequence[Member]
    reader: Reader
    units: Units

    def predict(self, points: Labelled, covariates: Floats | None = None) -> PowerLaws:
        """The laws of points: of several networks the mean, of contributions at the reference size and of exponents."""
        each = np.stack([member.laws(*self.reader.read(points, covariates)) for member in self.members])
        c, alpha, log_sigma, beta = np.moveaxis(each.mean(axis=0), -1, 0)
        size, scale = self.units.size, self.units.scale
        return PowerLaws(c * scale * size**alpha, alpha, np.exp(log_sigma) * scale * size ** (beta / 2), beta)


@dataclass(frozen=True, eq=False)
class Amortised:
    """The amortised estimator: a network from inputs to laws, trained on the samples of all points at once.

    `points` are those that are sampled, in order; `classes` is 0 for a regression, whose single head without classes is
    ours. `inputs` features is the paper's; `units` raw too; `form` direct its ablation. With `ensemble` > 1 networks are
    trained on resampled points, and their spread gives standard errors; one network has none. The likelihood is that of
    samples given their cardinalities, so that no density of cardinalities biases it.

    Source: Covert et al. 2024 (arXiv 2405.20456).
    """

    points: Labelled
    classes: int
    inputs: Inputs = "features"
    form: Form = "sign_and_size"
    units: UnitsOf = "raw"
    ensemble: int = 1
    epochs: int = 100
    trainer: TrainerSpec = field(default_factory=TrainerSpec)
    name: str = field(default="amortised", init=False)

    def fit(
        self, samples: Contributions, covariates: Floats | None = None, generator: np.random.Generator | None = None
    ) -> PowerLaws:
        """The laws of the sampled points."""
        return self.train(samples, covariates, generator).predict(self.points, covariates)

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
        return AmortisedLaws(members, reader, units)
