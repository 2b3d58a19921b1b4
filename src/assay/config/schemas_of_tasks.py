"""What each option of the group task may hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from assay.config.limits import Limit, at_least, not_empty
from assay.config.schema_types import (
    AtLeastTwo,
    BurnInShare,
    CardinalityDensity,
    Count,
    Evaluations,
    LawEstimator,
    PartialShare,
    Replicates,
)


@dataclass(frozen=True)
class Value:
    """task=value."""

    name: str


@dataclass(frozen=True)
class EstimationUncertainty:
    """task=estimation_uncertainty."""

    name: str
    mechanisms: Annotated[list[str], not_empty("e.g. [none,iid]")]
    evaluations: Annotated[list[Evaluations], not_empty("e.g. [10,40,160]")]
    replicates: Replicates
    reference_evaluations: Evaluations


@dataclass(frozen=True)
class LabelNoise(EstimationUncertainty):
    """task=label_noise."""

    burn_ins: Annotated[list[BurnInShare], not_empty("e.g. [0,0.5,0.9]")]


@dataclass(frozen=True)
class SelectionCurve:
    """task=selection_curve."""

    name: str
    mechanisms: Annotated[list[str], not_empty("e.g. [none,iid]")]
    shares: Annotated[list[PartialShare], not_empty("e.g. [0.1,0.3,0.5]")]
    replicates: Replicates


@dataclass(frozen=True)
class Membership:
    """task=membership."""

    name: str
    mechanisms: Annotated[list[str], not_empty("e.g. [none,iid]")]
    rows: Annotated[int, at_least(2, "the target and one more")]
    targets: Annotated[int, at_least(2, "an interval needs two")]
    tables: Annotated[int, at_least(4, "half of them are shadows, and a deviation needs two")]
    informed: bool


@dataclass(frozen=True)
class PartyValue:
    """task=party_value."""

    name: str
    level: Literal["record", "client"]


@dataclass(frozen=True)
class PartyUncertainty(EstimationUncertainty):
    """task=party_uncertainty."""

    level: Literal["record", "client"]


@dataclass(frozen=True)
class Federated:
    """task=federated."""

    name: str
    level: Literal["record", "client"]
    mechanisms: Annotated[list[str], not_empty("e.g. [none,iid]")]
    evaluations: Annotated[list[Evaluations], not_empty("e.g. [10,40,160]")]
    replicates: Replicates
    fraction: Annotated[
        float, Limit(lambda value: 0 < value <= 1, "must be above 0 and 1 at most", "1 is every client")
    ]
    sampling: Literal["fixed", "poisson"]
    participations: Annotated[int | None, at_least(1, "null sets no limit")]
    local_steps: Count
    permutations: Count


@dataclass(frozen=True)
class Audit:
    """task=audit."""

    name: str
    trials: Annotated[int, at_least(40, "a bound needs them, e.g. 40000")]


Corrected = Annotated[
    float | None,
    Limit(lambda part: part is None or 0 < part <= 1, "must be above 0 and 1 at most", "null: all exactly"),
]


@dataclass(frozen=True)
class ScalingLawTask:
    """task=scaling_law."""

    name: str
    points: AtLeastTwo
    cardinalities: Annotated[int, at_least(3, "a line needs more than two places")]
    samples: Annotated[int, at_least(4, "two halves of two each")]
    corrected: Corrected


@dataclass(frozen=True)
class ValueAt:
    """task=value_at."""

    name: str
    k: Count


@dataclass(frozen=True)
class LawEstimators:
    """task=law_estimators."""

    name: str
    estimators: Annotated[list[LawEstimator], not_empty("e.g. [monte_carlo,empirical_bayes]")]
    samples: Annotated[list[AtLeastTwo], not_empty("e.g. [10,20,50]")]
    densities: Annotated[list[CardinalityDensity], not_empty("e.g. [uniform]")]
    points: AtLeastTwo
    bank: AtLeastTwo
    cardinalities: Annotated[int, at_least(3, "a law needs more than two places")]
    reference: AtLeastTwo
    corrected: Corrected


@dataclass(frozen=True)
class PointAddition:
    """task=point_addition."""

    name: str
    pools: Annotated[list[Count], not_empty("e.g. [500,5000]")]
    add: Count
    candidates: AtLeastTwo
    balanced: bool
    repeats: Annotated[
        int, Limit(lambda count: count == 0 or count >= 2, "must be 0, or 2 or more", "0 does not judge")
    ]
    estimators: list[LawEstimator]
    joint: bool


@dataclass(frozen=True)
class LearningCurve:
    """task=learning_curve."""

    name: str
    cardinalities: Annotated[int, at_least(4, "a law of three parameters needs as many places and one")]
    samples: AtLeastTwo
    target: Annotated[
        float | None, Limit(lambda error: error is None or error > 0, "must be > 0", "null asks for none")
    ]


@dataclass(frozen=True)
class LawTheory:
    """task=law_theory."""

    name: str
    points: AtLeastTwo
    cardinalities: Annotated[int, at_least(3, "a line needs more than two places")]
    samples: AtLeastTwo
