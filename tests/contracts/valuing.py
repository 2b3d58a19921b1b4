"""One small problem, valued by every valuator under every mechanism that it accounts for."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from assay.config.compose import compose
from assay.data import PreparedData
from assay.data.records import Arrays, Provenance
from assay.errors import InputError
from assay.learning.models import Model, Shape
from assay.learning.models.affine import Linear
from assay.learning.models.replicated import ReplicatedModel
from assay.runs.parts import Parts
from assay.runs.streams import Streams
from assay.valuation.valuator import Problem, Run, Valuation
from contracts import option, option_names

ROWS, VALID, FEATURES = 24, 20, 3
TWINS, NULL = (3, 7), 11
EVALUATIONS = 12
SIZES: dict[str, dict[str, Any]] = {
    "scaling_law": {"evaluations": 16, "smallest": 5, "largest": 15},
    "gradient_semivalue": {"evaluations": EVALUATIONS, "learning_rate": 0.1},
    "private_semivalue": {"evaluations": EVALUATIONS, "learning_rate": 0.1},
}
"""Keys that make the work of a valuator small; others take `evaluations` alone."""


@functools.cache
def pairs() -> tuple[tuple[str, str], ...]:
    """Valuators with the options of privacy that they account for, and without privacy where a run allows that."""
    privacies = {name: option("privacy", name) for name in option_names("privacy")}
    return tuple(
        (valuation, privacy)
        for valuation in option_names("valuation")
        for privacy, mechanism in privacies.items()
        if (
            mechanism.releases in option("valuation", valuation).accounts_for if mechanism.releases else bare(valuation)
        )
    )


def bare(valuation: str) -> bool:
    """True of a valuator that a run takes without privacy."""
    try:
        compose([f"valuation={valuation}", "privacy=none", "dataset.split={train:300,valid:100,test:40}"])
    except InputError:
        return False
    return True


@functools.cache
def data() -> PreparedData:
    """A regression on few rows: two of them are the same, one says nothing, and the test split is all NaN."""
    generator = np.random.default_rng(0)
    coefficients = generator.standard_normal(FEATURES)

    def part(rows: int, first: int) -> Arrays:
        features = 0.7 * generator.standard_normal((rows, FEATURES))
        target = features @ coefficients + 0.3 * generator.standard_normal(rows)
        return Arrays(features, target, np.arange(first, first + rows), np.ones(rows, dtype=bool))

    train, valid = part(ROWS, 0), part(VALID, 100)
    train.features[TWINS[1]], train.target[TWINS[1]] = train.features[TWINS[0]], train.target[TWINS[0]]
    train.features[NULL], train.target[NULL] = 0.0, 0.0
    nothing = Arrays(np.full((5, FEATURES), np.nan), np.full(5, np.nan), np.arange(200, 205), np.ones(5, dtype=bool))
    names = tuple(f"x{place}" for place in range(FEATURES))
    return PreparedData(train, valid, nothing, "regression", (), names, "table", Provenance("synthetic", "drawn", "0"))


def with_train(rows: NDArray[np.int64]) -> PreparedData:
    """The same data with the train rows in another order."""
    train = data().train
    return replace(data(), train=Arrays(train.features[rows], train.target[rows], train.ids[rows], train.clean[rows]))


def with_test() -> PreparedData:
    """The same data with a test split that has numbers in it."""
    return replace(data(), test=replace(data().valid, ids=data().valid.ids + 100))


def valuator_of(name: str, *, errors: bool = True) -> Any:
    """A valuator whose work is small, without the repetitions behind its standard errors unless `errors`."""
    changes = SIZES.get(name, {"evaluations": EVALUATIONS})
    if not errors and "bootstrap" in option("valuation", name).__dataclass_fields__:
        changes = {**changes, "bootstrap": 0}
    return option("valuation", name, **changes)


def privacy_of(name: str, **changes: Any) -> Any:
    """A mechanism, and a matrix for the one that reads its own."""
    if "matrix" not in option("privacy", name).__dataclass_fields__:
        return option("privacy", name, **changes)
    place = Path(tempfile.gettempdir()) / f"contract-matrix-{EVALUATIONS}.csv"
    weights = np.tril(np.ones((EVALUATIONS, EVALUATIONS)))
    np.savetxt(place, weights / weights.sum(axis=1, keepdims=True), delimiter=",")
    return option("privacy", name, matrix=str(place), **changes)


def valued(
    valuation: str,
    privacy: str,
    *,
    rows: PreparedData | None = None,
    model: Model | None = None,
    seed: int = 0,
    parts: Parts | None = None,
    advance: Callable[[int], object] = lambda steps: None,
    errors: bool = True,
    **changes: Any,
) -> Valuation:
    """The valuation of the problem, or of the same one with something else in it; `changes` are keys of the mechanism."""
    asked = model or option("model", "linear", intercept=False)
    problem = Problem(rows or data(), asked, privacy_of(privacy, **changes))
    run = Run(Streams(seed), option("trainer", "cpu"), parts or Parts(), advance=advance)
    return valuator_of(valuation, errors=errors).valuate(problem, run)


class Counted:
    """A model with a replicate axis that counts how often a copy of it answers for the whole valid split."""

    def __init__(self, model: ReplicatedModel, counts: list[int]) -> None:
        self._model, self._counts = model, counts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def outputs(self, theta: Tensor, features: Tensor) -> Tensor:
        """Outputs of the model."""
        if len(features) == VALID:
            self._counts.append(len(theta))
        return self._model.outputs(theta, features)


@dataclass(frozen=True)
class CountedLinear(Linear):
    """model=linear, counting."""

    counts: list[int] = field(default_factory=list, compare=False)

    def replicated(self, shape: Shape) -> Any:
        """The counting model."""
        return Counted(super().replicated(shape), self.counts)


@functools.cache
def plain(valuation: str, privacy: str) -> Valuation:
    """The valuation of the problem by one worker that nobody disturbs."""
    return valued(valuation, privacy)


def bytes_of(valuation: Valuation) -> bytes:
    """All numbers of a valuation."""
    values = valuation.values
    return b"".join(part.tobytes() for part in (values.ids, values.value, values.std_error, values.evaluations))
