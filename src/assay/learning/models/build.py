"""From a model's name and a data set's shape to the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.errors import InputError
from assay.learning.models.functional import FunctionalNetwork
from assay.learning.models.heads import CrossEntropy, head_for
from assay.learning.models.linear import GeneralizedLinear
from assay.learning.models.mlp import MultilayerPerceptron
from assay.learning.models.replicated import ReplicatedModel

TARGETS = {
    "linear": "regression",
    "logistic": "classification",
    "bag_of_words": "classification",
    "svm": "classification",
}
# models that are fitted whole: what is said where per-row gradients are wanted
FITTED_WHOLE = {
    "xgboost": "trees have no per-row gradients to value by",
    "svm": "support vectors have no per-row gradients to value by",
    "mlp_adam": "is fitted whole by scikit-learn and has no per-row gradients to value by",
}


@dataclass(frozen=True)
class ModelSpec:
    """A model as the user names it; what it does not use keeps its default."""

    name: str = "auto"
    intercept: bool = True
    hidden: Sequence[int] = (16,)
    activation: str = "tanh"
    trees: int = 50
    depth: int = 4
    learning_rate: float = 0.3
    iterations: int = 200

    def resolved(self, kind: str, modality: str = "table") -> str:
        """The model's name with `auto` decided; InputError where model, target and modality do not fit."""
        if self.name == "auto":
            return "linear" if kind == "regression" else "bag_of_words" if modality == "text" else "logistic"
        wanted = TARGETS.get(self.name, kind)
        if wanted != kind:
            raise InputError("model", self.name, f"needs a {wanted} target, found a {kind}", "use model=auto")
        if (modality == "text") != (self.name == "bag_of_words"):
            limit = "reads text, found numbers" if modality != "text" else "reads numbers, found text"
            raise InputError("model", self.name, limit, "use model=auto")
        return self.name


def build_model(spec: ModelSpec, *, kind: str, classes: int, features: int, modality: str = "table") -> ReplicatedModel:
    """The replicated model for a target and a number of features.

    Raises InputError for a model without gradients and for a model that does not fit the target.
    """
    name = spec.resolved(kind, modality)
    head = head_for(kind, classes)
    if name == "cnn":
        from assay.learning.networks import ConvolutionalNetwork, blank_network

        network = blank_network(spec, kind=kind, classes=classes, features=features, modality=modality)
        assert isinstance(network, ConvolutionalNetwork)
        return FunctionalNetwork(network, CrossEntropy(classes) if kind == "classification" else head, network.widest)
    if name == "mlp":
        return MultilayerPerceptron(features, list(spec.hidden), head, spec.activation)
    if name in FITTED_WHOLE:
        remedy = "use model=linear, logistic or mlp, or valuation=semivalue"
        raise InputError("model", name, FITTED_WHOLE[name], remedy)
    return GeneralizedLinear(features, head, spec.intercept)
