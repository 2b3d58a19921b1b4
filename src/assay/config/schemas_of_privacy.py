"""What each option of the group privacy may hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from assay.config.limits import above, inside, matches
from assay.config.schema_types import BurnIn, Count, Share


@dataclass(frozen=True)
class NoPrivacy:
    """privacy=none."""

    name: str


@dataclass(frozen=True)
class Budget:
    """What every private mechanism holds."""

    name: str
    epsilon: Annotated[float, above(0, "use privacy=none for a run without privacy")]
    delta: Annotated[float, inside(0, 1, "e.g. 1e-5, well below one over the number of rows")]
    secure_noise: bool


@dataclass(frozen=True)
class RowBudget(Budget):
    """The same for releases of single rows."""

    relation: Literal["zero_out", "replace_one", "add_remove"]


@dataclass(frozen=True)
class Privacy(RowBudget):
    """A budget, a clipping norm and a mechanism."""

    max_grad_norm: Annotated[float, above(0, "the L2 norm that a row's gradient is clipped to, e.g. 1.0")]


@dataclass(frozen=True)
class BurnInPrivacy(Privacy):
    """privacy=running_mean_burn_in."""

    burn_in: BurnIn


@dataclass(frozen=True)
class FrontLoadedPrivacy(Privacy):
    """privacy=front_loaded."""

    first_share: Annotated[float, inside(0, 1, "e.g. 0.9")]


@dataclass(frozen=True)
class LowerTriangularPrivacy(Privacy):
    """privacy=lower_triangular."""

    matrix: Annotated[str | None, matches(r".+\.(csv|npy)", "must be a .csv or .npy file", "e.g. weights.csv")]


@dataclass(frozen=True)
class PublicNormPrivacy(RowBudget):
    """privacy=vector_release."""

    clip_quantile: Share


@dataclass(frozen=True)
class PublicClipPrivacy(PublicNormPrivacy):
    """privacy=public_clip."""

    burn_in: BurnIn


@dataclass(frozen=True)
class DirectedGaussian(RowBudget):
    """privacy=directed_gaussian."""

    clip: Annotated[float | None, above(0, "null lets public rows choose")]
    paths: Count


@dataclass(frozen=True)
class DirectedSubspace(DirectedGaussian):
    """privacy=directed_subspace."""

    dimensions: Count


@dataclass(frozen=True)
class Directed(DirectedGaussian):
    """privacy=directed."""

    law: Literal["auto", "laplace", "randomized_response", "piecewise"]


@dataclass(frozen=True)
class DirectedPrivatePath(Directed):
    """privacy=directed_private_path."""

    path_share: Annotated[float, inside(0, 1, "0.25 leaves three quarters of epsilon to the values")]
    path_quantile: Annotated[float, inside(0, 1, "0.5 is the median")]


@dataclass(frozen=True)
class TrainingPrivacy(Budget):
    """privacy=white."""

    relation: Literal["add_remove", "zero_out"]
    max_grad_norm: Annotated[float, above(0, "the L2 norm that a sample's gradient is clipped to, e.g. 1.0")]
    clipping: Literal["flat", "per_layer", "automatic"]
    accountant: Literal["prv", "rdp"]
