"""Scaling laws from one network that reads what a point looks like, so that points share their samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from assay.learning.modules.amortised_law import Form
from assay.learning.trainers import TrainerSpec
from assay.valuation.scaling.amortised_errors import excess, observe, unseen_laws
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
    """Trained networks, which tell the laws of any points, sampled or not.

    `reference` is the logarithm of a middle cardinality in the units of the networks. Squared standard errors are the
    networks' spread times `inflation`; what points' own laws add to predicted ones at the reference has the variance
    `misfit` times that of one sample there. Both are measured on points that a network never saw.
    """

    members: Sequence[Member]
    reader: Reader
    units: Units
    reference: float
    inflation: float = 1.0
    misfit: float = 0.0

    def predict(self, points: Labelled, covariates: Floats | None = None) -> PowerLaws:
        """The laws of points: of several networks the mean, of contributions at the reference size and of exponents."""
        each = self._at_reference(points, covariates)
        return self._laws(each.mean(axis=0), self._spread(each))

    def updated(self, points: Labelled, samples: Contributions, covariates: Floats | None = None) -> PowerLaws:
        """The same, with c moved towards what each point's own samples say, by the precisions of the two. [derived]"""
        each = self._at_reference(points, covariates)
        laws, spread = each.mean(axis=0), self._spread(each)
        own = observe(*self._own(samples), laws)
        prior = self.misfit * np.exp(2 * laws[:, 2])
        share = prior / (prior + own.variance)
        laws[:, 0] += share * (own.estimate - laws[:, 0])
        if spread is not None:
            spread = spread * np.array([[1.0, 0.0], [0.0, 1.0]])
            spread[:, 0, 0] = share * own.variance
        return self._laws(laws, spread)

    def calibrated(self, points: Labelled, samples: Contributions, covariates: Floats | None = None) -> AmortisedLaws:
        """The same networks with `inflation` (never below 1) and `misfit` measured on points that some never saw."""
        each = self._at_reference(points, covariates)
        unseen, laws = unseen_laws(self.members, each)
        own = observe(*self._own(samples), laws)
        error, sampling, one = own.estimate - laws[:, 0], own.variance, np.exp(2 * laws[:, 2])
        misfit = excess(error[unseen], sampling[unseen], one[unseen])
        if len(self.members) == 1:
            return replace(self, misfit=misfit)
        spread = each[:, :, 0].var(axis=0, ddof=1)
        inflation = excess(error[unseen], sampling[unseen], spread[unseen])
        return replace(self, misfit=misfit, inflation=max(1.0, inflation))

    def _own(self, samples: Contributions) -> tuple[Floats, Floats]:
        """Delta and log cardinality in units of the reference."""
        return samples.delta / self.units.scale, np.log(samples.cardinality / self.units.size) - self.reference

    def _at_reference(self, points: Labelled, covariates: Floats | None) -> Floats:
        """Laws [E, n, 4] whose c and log sigma are those at the reference size."""
        each = np.stack([member.laws(*self.reader.read(points, covariates)) for member in self.members])
        each[:, :, 0] *= np.exp(-each[:, :, 1] * self.reference)
        each[:, :, 2] -= each[:, :, 3] / 2 * self.reference
        return each

    def _spread(self, each: Floats) -> Floats | None:
        """Covariance [n, 2, 2] of c at the reference and alpha; None for a single network."""
        if len(each) == 1:
            return None
        centred = each[:, :, :2] - each[:, :, :2].mean(axis=0)
        return np.asarray(self.inflation * np.einsum("eni,enj->nij", centred, centred) / (len(each) - 1))

    def _laws(self, laws: Floats, spread: Floats | None) -> PowerLaws:
        """From the reference size to a single row, from the networks' units to those of the data."""
        c, alpha, log_sigma, beta = laws.T
        log_size = self.reference + np.log(self.units.size)
        turn = self.units.scale * np.exp(alpha * log_size)
        sigma = self.units.scale * np.exp(log_sigma + beta / 2 * log_size)
        if spread is not None:
            slope = np.tile(np.eye(2), (len(c), 1, 1))
            slope[:, 0, 0], slope[:, 0, 1] = turn, c * turn * log_size
            spread = slope @ spread @ slope.transpose(0, 2, 1)
        return PowerLaws(c * turn, alpha, sigma, beta, spread)


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
    trainer: TrainerSpec = field(default_factory=TrainerSpec)
    name: str = field(default="amortised", init=False)

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
        laws = AmortisedLaws(members, reader, units, reference=float(log_size.double().mean()))
        return laws.calibrated(self.points, samples, covariates)
