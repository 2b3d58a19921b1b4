"""Models whose outputs are affine in the features: linear, logistic, and logistic on hashed words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from assay.learning.models.model import Model, Shape

if TYPE_CHECKING:
    from torch import nn

    from assay.learning.models.replicated import ReplicatedModel

RIDGE = 1e-3  # penalty of `Linear` on its squared coefficients, not on its intercept: few rows have a solution too


class Affine(Model):
    """Common to the three: an affine map of the features, and a head."""

    row_gradients: ClassVar[bool] = True
    fitted_whole: ClassVar[bool] = True
    closed_form: ClassVar[bool] = True
    intercept: bool

    def replicated(self, shape: Shape) -> ReplicatedModel:
        """Linear or softmax regression with gradients in closed form."""
        from assay.learning.models.generalized_linear import GeneralizedLinear
        from assay.learning.models.heads import head_for

        self.resolved(shape.kind, shape.modality)
        return GeneralizedLinear(shape.features, head_for(shape.kind, shape.classes), self.intercept)

    def network(self, shape: Shape) -> nn.Module:
        """One linear layer."""
        from assay.learning.models.torch_networks import layers

        self.resolved(shape.kind, shape.modality)
        return layers([shape.features, shape.outputs], bias=self.intercept)


@dataclass(frozen=True)
class Linear(Affine):
    """Linear regression by squared error; fitted whole it is ridge regression with the penalty `RIDGE`."""

    intercept: bool = True
    name: str = "linear"

    fits: ClassVar[frozenset[str]] = frozenset({"regression"})
    reads: ClassVar[frozenset[str]] = frozenset({"table", "image", "text"})

    def unfitted(self, shape: Shape, rows: int, seed: int) -> Any:
        """scikit-learn's Ridge."""
        from sklearn.linear_model import Ridge

        self.resolved(shape.kind, shape.modality)
        return Ridge(alpha=RIDGE, fit_intercept=self.intercept)


class _Logistic(Affine):
    fits: ClassVar[frozenset[str]] = frozenset({"classification"})

    def unfitted(self, shape: Shape, rows: int, seed: int) -> Any:
        """scikit-learn's LogisticRegression at C=1."""
        from sklearn.linear_model import LogisticRegression

        self.resolved(shape.kind, shape.modality)
        return LogisticRegression(C=1.0, fit_intercept=self.intercept, max_iter=500)


@dataclass(frozen=True)
class Logistic(_Logistic):
    """Logistic regression, softmax beyond two classes, by cross-entropy; fitted whole at C=1."""

    intercept: bool = True
    name: str = "logistic"


@dataclass(frozen=True)
class BagOfWords(_Logistic):
    """Logistic regression on hashed counts of words."""

    name: str = "bag_of_words"

    intercept: ClassVar[bool] = True  # type: ignore[misc]
    reads: ClassVar[frozenset[str]] = frozenset({"text"})
