"""Mechanisms of a user's own, one of each kind of release, go through the valuator as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from assay.data import PreparedData
from assay.errors import InputError
from assay.learning.models.auto import Auto
from assay.learning.trainer import Trainer
from assay.privacy.option import Budgeted, Privacy
from assay.privacy.relations import Sensitivity
from assay.privacy.releases import Releases
from assay.privacy.rows.directed import Directed
from assay.privacy.rows.directed_subspace import DirectedSubspace
from assay.privacy.rows.gradients import GivenNorm, PublicNorm
from assay.privacy.rows.vector_release import ReleasedVector
from assay.runs.streams import Streams
from assay.valuation.gradient.semivalue import GradientSemivalue
from assay.valuation.valuator import Problem, Run


@dataclass(frozen=True)
class Falling(GivenNorm):
    """Later releases have less noise than earlier ones, and none is reused."""

    name: str = "falling"

    def noise_multipliers(self, releases: int) -> np.ndarray:
        shares = np.arange(1.0, releases + 1)
        return self.budget.noise_multipliers(shares / shares.sum(), Sensitivity(1.0, self.budget.relation))


@dataclass(frozen=True)
class TightVector(ReleasedVector):
    """One gradient of a row, clipped to half of the public quantile."""

    name: str = "tight_vector"

    def clipped(self, public_norm: Callable[[float], float]) -> Sensitivity:
        return Sensitivity(public_norm(self.clip_quantile) / 2, self.budget.relation)


@dataclass(frozen=True)
class LaplaceNumber(Directed):
    """One number of a row by Laplace noise, whatever public rows say."""

    name: str = "laplace_number"

    @property
    def laws(self) -> Sequence[str]:
        return ("laplace",)


@dataclass(frozen=True)
class Plane(DirectedSubspace):
    """Two numbers of a row."""

    name: str = "plane"


OWN: list[Privacy] = [
    Falling(epsilon=2.0),
    TightVector(epsilon=2.0),
    LaplaceNumber(epsilon=2.0, paths=3),
    Plane(epsilon=2.0, paths=3),
]


@pytest.mark.parametrize("privacy", OWN, ids=lambda privacy: privacy.name)
def test_an_own_mechanism_is_carried_out_and_charged(privacy: Privacy, portion: Callable[..., PreparedData]) -> None:
    problem, run = Problem(portion("breast_cancer", train=12), Auto(), privacy), Run(Streams(0), Trainer())
    valuation = GradientSemivalue(evaluations=4).valuate(problem, run)
    assert np.isfinite(valuation.values.value).all()
    assert valuation.epsilon == pytest.approx(2.0, rel=1e-6)
    assert valuation.epsilon <= 2.0
    assert valuation.ledger[-1]["noise"] == "seeded"


def test_an_own_choice_of_mechanism_is_honoured(portion: Callable[..., PreparedData]) -> None:
    data, run = portion("breast_cancer", train=12), Run(Streams(0), Trainer())
    falling, tight, laplace, _ = (
        GradientSemivalue(evaluations=4).valuate(Problem(data, Auto(), privacy), run) for privacy in OWN
    )
    noise = [entry["noise_multiplier"] for entry in falling.ledger]
    assert noise == sorted(noise, reverse=True)
    assert noise[0] == pytest.approx(2 * noise[-1])  # shares 1 to 4
    usual: PublicNorm = ReleasedVector(epsilon=2.0)
    plain = GradientSemivalue(evaluations=4).valuate(Problem(data, Auto(), usual), run)
    assert tight.ledger[0]["max_grad_norm"] == pytest.approx(plain.ledger[0]["max_grad_norm"] / 2)
    assert laplace.ledger[-1]["law"] == "laplace"


@dataclass(frozen=True)
class OfClasses(Budgeted):
    """Sums over classes, of which gradient values have no account."""

    releases = Releases.CLASS_SUM  # type: ignore[misc]
    name: str = "of_classes"


def test_releases_without_an_estimator_are_refused(portion: Callable[..., PreparedData]) -> None:
    problem, run = Problem(portion("breast_cancer", train=12), Auto(), OfClasses()), Run(Streams(0), Trainer())
    with pytest.raises(InputError, match="privacy=of_classes: releases a class_sum, of which gradient values have no"):
        GradientSemivalue(evaluations=4).valuate(problem, run)
