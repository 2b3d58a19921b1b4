"""What each option of each group may hold; the tables at the end say which schema checks which option."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from assay.config.limits import above
from assay.config.listing import options
from assay.config.schema_types import (
    AtLeastTwo,
    CardinalityDensity,
    Count,
    Evaluations,
    LawEstimator,
    Semivalue,
    Utility,
)
from assay.config.schemas_of_tasks import (
    Audit,
    EstimationUncertainty,
    Federated,
    LabelNoise,
    LawEstimators,
    LawTheory,
    LearningCurve,
    Membership,
    PartyUncertainty,
    PartyValue,
    PointAddition,
    ScalingLawTask,
    SelectionCurve,
    Value,
    ValueAt,
)


@dataclass(frozen=True)
class RefitSemivalue:
    """valuation=semivalue."""

    name: str
    semivalue: Semivalue
    alpha: Annotated[float, above(0, "a parameter of Beta Shapley")]
    beta: Annotated[float, above(0, "a parameter of Beta Shapley")]
    evaluations: Evaluations
    utility: Utility


@dataclass(frozen=True)
class ScalingLaw:
    """valuation=scaling_law."""

    name: str
    estimator: LawEstimator
    evaluations: AtLeastTwo
    smallest: Count
    largest: Count
    density: CardinalityDensity
    subsets: Literal["shared", "fresh"]
    level: Literal["cheap", "exact", "refit"]
    utility: Literal["negative_loss", "softmax_of_probabilities", "accuracy", "population_risk"]
    folds: AtLeastTwo


# group -> option -> schema; an option that is not here is a user's own and passes when it says what to build.
OPTIONS: dict[str, dict[str, type]] = {
    "valuation": {"semivalue": RefitSemivalue, "scaling_law": ScalingLaw},
    "task": {"value": Value, "estimation_uncertainty": EstimationUncertainty}
    | {"label_noise": LabelNoise, "selection_curve": SelectionCurve, "membership": Membership, "audit": Audit}
    | {"party_value": PartyValue, "party_uncertainty": PartyUncertainty, "federated": Federated}
    | {"scaling_law": ScalingLawTask, "value_at": ValueAt, "law_estimators": LawEstimators}
    | {"point_addition": PointAddition, "law_theory": LawTheory, "learning_curve": LearningCurve},
}
# groups whose options all hold the same keys, those above apart
UNIFORM: dict[str, type] = {}


def shipped(group: str) -> list[str]:
    """Names of the options of a group that ship with assay."""
    return [name for name, _ in options(group)]


def schema_of(group: str, name: str) -> type | None:
    """The schema of an option whose class is not its schema yet; None where the class is."""
    return OPTIONS.get(group, {}).get(name) or (UNIFORM.get(group) if name in shipped(group) else None)
