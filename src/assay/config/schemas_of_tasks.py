"""What each option of the group task may hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from assay.config.limits import Limit, above, at_least, not_empty
from assay.config.schema_types import BurnInShare, Count, Evaluations, PartialShare, Rate, Replicates, Share


@dataclass(frozen=True)
class Train:
    """task=train."""

    name: str
    epochs: Annotated[float, above(0, "e.g. 10")]
    batch_size: Count
    optimizer: Literal["sgd", "adam"]
    learning_rate: Rate
    momentum: Share
    parts: Count
    statistics: bool


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
