"""What each option of each group may hold; the tables at the end say which schema checks which option."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Annotated, Literal

from assay.config.limits import Limit, above, at_least, inside, matches, not_empty, share

Share = Annotated[float, share("0.3 is 30 %")]
Count = Annotated[int, at_least(1, "a whole number from 1 on")]
Evaluations = Annotated[int, at_least(1, "a row needs one evaluation at the least")]
Replicates = Annotated[int, at_least(1, "1 is a single estimate")]
Rate = Annotated[float, above(0, "e.g. 0.05")]
SplitSize = Annotated[float, at_least(0, "a share below 1, or a number of rows from 1 on")]
BurnIn = Annotated[float, at_least(0, "a share of the evaluations below 1, or a number of them from 1 on; 0 keeps all")]
BurnInShare = Annotated[float, Limit(lambda share: 0 <= share < 1, "must be a share from 0 to below 1", "e.g. 0.9")]
PartialShare = Annotated[float, inside(0, 1, "0.1 is 10 %")]
Semivalue = Literal["shapley", "beta", "banzhaf"]
Utility = Literal["negative_loss", "accuracy"]


def _is_encoding(name: str) -> bool:
    try:
        return codecs.lookup(name)._is_text_encoding
    except LookupError:
        return False


@dataclass(frozen=True)
class Root:
    """The keys of a run outside its groups."""

    name: Annotated[
        str,
        matches(r"\w[\w.+-]*(/\w[\w.+-]*)*", "must be a folder name", "letters, digits, '_', '-', '.', parted by '/'"),
    ]
    seed: Annotated[int, Limit(lambda seed: 0 <= seed < 2**63, "must be from 0 to 2^63 - 1", "e.g. seed=0")]
    workers: Annotated[int, at_least(1, "1 is this process alone")]
    progress: bool
    report: bool


@dataclass(frozen=True)
class Split:
    """Sizes of the three parts: a share of the rows below 1, a number of rows from 1 on."""

    train: SplitSize
    valid: SplitSize
    test: SplitSize


@dataclass(frozen=True)
class Corruption:
    """What is spoilt in the training split."""

    labels: Share
    features: Share
    scale: Annotated[float, above(0, "standard deviations of a column")]
    sources: Annotated[float | None, share("null spoils rows of any source")]


@dataclass(frozen=True)
class Sources:
    """Who owns which row."""

    count: Annotated[int, at_least(0, "0 leaves the rows without sources")]
    how: Literal["random", "dirichlet", "label"]
    alpha: Annotated[float, above(0, "small is a strong label skew")]


@dataclass(frozen=True)
class Preprocess:
    """How columns become features."""

    standardize: bool
    components: Annotated[int | None, at_least(1, "null keeps every column")]
    norm: Annotated[float | None, above(0, "null leaves the rows' norms as they are")]
    buckets: Annotated[int, at_least(1, "e.g. 1024")]


@dataclass(frozen=True)
class Dataset:
    """Every dataset option."""

    name: str
    kind: Literal["regression", "classification", "auto"]
    modality: Literal["table", "image", "text", "auto"]
    path: str | None
    target: str | None
    features: Annotated[list[str] | None, not_empty("null keeps every column")]
    types: dict[str, Literal["numeric", "categorical", "text", "ignore"]]
    missing: Literal["error", "drop"]
    encoding: Annotated[str, Limit(_is_encoding, "is no text encoding", "e.g. utf-8, cp1252, latin-1 or utf-16")]
    rows: Annotated[int | None, at_least(1, "null keeps every row")]
    download: bool
    split: Split
    corruption: Corruption
    sources: Sources
    preprocess: Preprocess


@dataclass(frozen=True)
class PlainModel:
    """A model with nothing to choose."""

    name: str


@dataclass(frozen=True)
class Affine:
    """model=linear and model=logistic."""

    name: str
    intercept: bool


@dataclass(frozen=True)
class Multilayer:
    """model=mlp."""

    name: str
    hidden: Annotated[list[Annotated[int, at_least(1, "units of a layer")]], not_empty("use model=auto for no layer")]
    activation: Literal["tanh", "relu"]


@dataclass(frozen=True)
class Trees:
    """model=xgboost."""

    name: str
    trees: Count
    depth: Count
    learning_rate: Rate


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
class NoPrivacy:
    """privacy=none."""

    name: str


@dataclass(frozen=True)
class Privacy:
    """A budget, a clipping norm and a mechanism."""

    name: str
    epsilon: Annotated[float, above(0, "use privacy=none for a run without privacy")]
    delta: Annotated[float, inside(0, 1, "e.g. 1e-5, well below one over the number of rows")]
    relation: Literal["zero_out", "replace_one", "add_remove"]
    max_grad_norm: Annotated[float, above(0, "the L2 norm that a row's gradient is clipped to, e.g. 1.0")]
    secure_noise: bool


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
class PublicNormPrivacy:
    """privacy=vector_release."""

    name: str
    epsilon: Annotated[float, above(0, "use privacy=none for a run without privacy")]
    delta: Annotated[float, inside(0, 1, "e.g. 1e-5, well below one over the number of rows")]
    relation: Literal["zero_out", "replace_one", "add_remove"]
    clip_quantile: Share
    secure_noise: bool


@dataclass(frozen=True)
class PublicClipPrivacy(PublicNormPrivacy):
    """privacy=public_clip."""

    burn_in: BurnIn


@dataclass(frozen=True)
class DirectedGaussian:
    """privacy=directed_gaussian."""

    name: str
    epsilon: Annotated[float, above(0, "use privacy=none for a run without privacy")]
    delta: Annotated[float, inside(0, 1, "e.g. 1e-5, well below one over the number of rows")]
    relation: Literal["zero_out", "replace_one", "add_remove"]
    clip: Annotated[float | None, above(0, "null lets public rows choose")]
    paths: Count
    secure_noise: bool


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
class TrainingPrivacy:
    """privacy=white."""

    name: str
    epsilon: Annotated[float, above(0, "use privacy=none for a run without privacy")]
    delta: Annotated[float, inside(0, 1, "e.g. 1e-5, well below one over the number of rows")]
    relation: Literal["add_remove", "zero_out"]
    max_grad_norm: Annotated[float, above(0, "the L2 norm that a sample's gradient is clipped to, e.g. 1.0")]
    clipping: Literal["flat", "per_layer", "automatic"]
    accountant: Literal["prv", "rdp"]
    secure_noise: bool


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


@dataclass(frozen=True)
class Trainer:
    """Every trainer option."""

    name: str
    accelerator: str
    devices: int | str
    precision: Literal[32, 64]
    threads: Count
    checkpoint_seconds: Annotated[float, at_least(0, "how much work a killed run may lose")]


@dataclass(frozen=True)
class Scale:
    """Every scale option."""

    name: str
    seeds: Count
    many_seeds: Count
    replicates: Replicates
    evaluations: Annotated[list[Evaluations], not_empty("e.g. [10,40,160]")]
    most_evaluations: Evaluations
    reference_evaluations: Evaluations
    few_reference_evaluations: Evaluations
    few_replicates: Replicates
    targets: Count
    shadow_tables: Count
    trials: Count


@dataclass(frozen=True)
class Paths:
    """Where things are written and kept."""

    outputs: Annotated[str, not_empty("e.g. paths.outputs=outputs")]
    data: Annotated[str, not_empty("e.g. paths.data=~/.cache/assay")]


# group -> option -> schema; an option that is not here is a user's own and passes when it says what to build.
OPTIONS: dict[str, dict[str, type]] = {
    "model": {
        "auto": PlainModel,
        "linear": Affine,
        "logistic": Affine,
        "bag_of_words": PlainModel,
        "mlp": Multilayer,
        "xgboost": Trees,
        "cnn": PlainModel,
    },
    "valuation": {"semivalue": RefitSemivalue, "gradient_semivalue": GradientSemivalue}
    | {"private_semivalue": GradientSemivalue},
    "privacy": {"none": NoPrivacy, "iid": Privacy, "running_mean": Privacy, "running_mean_burn_in": BurnInPrivacy}
    | {"front_loaded": FrontLoadedPrivacy, "lower_triangular": LowerTriangularPrivacy}
    | {"public_clip": PublicClipPrivacy, "vector_release": PublicNormPrivacy}
    | {"directed": Directed, "directed_gaussian": DirectedGaussian, "directed_private_path": DirectedPrivatePath}
    | {"directed_subspace": DirectedSubspace}
    | {"white": TrainingPrivacy},
    "task": {"value": Value, "train": Train, "estimation_uncertainty": EstimationUncertainty}
    | {"label_noise": LabelNoise, "selection_curve": SelectionCurve, "membership": Membership, "audit": Audit}
    | {"party_value": PartyValue, "party_uncertainty": PartyUncertainty, "federated": Federated},
}
# groups whose options all hold the same keys
UNIFORM: dict[str, type] = {"dataset": Dataset, "trainer": Trainer, "scale": Scale, "paths": Paths}
# groups whose options pass their keys on to a library, which knows them
OPEN = frozenset({"logger"})
GROUPS = ("dataset", "model", "valuation", "privacy", "task", "trainer", "scale", "logger", "paths")
