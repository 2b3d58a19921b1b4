"""What each option of each group may hold; the tables at the end say which schema checks which option."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from assay.config.limits import above, at_least
from assay.config.listing import options
from assay.config.schema_types import (
    AtLeastTwo,
    CardinalityDensity,
    Count,
    Evaluations,
    LawEstimator,
    Rate,
    Semivalue,
    Utility,
)
from assay.config.schemas_of_privacy import (
    BurnInPrivacy,
    Directed,
    DirectedGaussian,
    DirectedPrivatePath,
    DirectedSubspace,
    FrontLoadedPrivacy,
    LowerTriangularPrivacy,
    NoPrivacy,
    Privacy,
    PublicClipPrivacy,
    PublicNormPrivacy,
    TrainingPrivacy,
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
    Train,
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
class GradientSemivalue(RefitSemivalue):
    """valuation=gradient_semivalue and valuation=private_semivalue."""

    learning_rate: Rate
    initialisation: Literal["auto", "zeros", "random", "public"]
    bootstrap: Annotated[int, at_least(0, "0 leaves out the standard errors of reused releases")]
    permutations: Literal["plain", "antithetic"]
    wave: Annotated[int, at_least(1, "1 walks one permutation after the other")]


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
    "valuation": {"semivalue": RefitSemivalue, "gradient_semivalue": GradientSemivalue}
    | {"private_semivalue": GradientSemivalue, "scaling_law": ScalingLaw},
    "privacy": {"none": NoPrivacy, "iid": Privacy, "running_mean": Privacy, "running_mean_burn_in": BurnInPrivacy}
    | {"front_loaded": FrontLoadedPrivacy, "lower_triangular": LowerTriangularPrivacy}
    | {"public_clip": PublicClipPrivacy, "vector_release": PublicNormPrivacy}
    | {"directed": Directed, "directed_gaussian": DirectedGaussian, "directed_private_path": DirectedPrivatePath}
    | {"directed_subspace": DirectedSubspace}
    | {"white": TrainingPrivacy},
    "task": {"value": Value, "train": Train, "estimation_uncertainty": EstimationUncertainty}
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
