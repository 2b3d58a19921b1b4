"""Multilayer perceptrons: trained by gradients of rows, or whole by scikit-learn's Adam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from assay.config.limits import at_least, not_empty
from assay.learning.models.model import Model, Shape

if TYPE_CHECKING:
    from torch import nn

    from assay.learning.models.replicated import ReplicatedModel

Hidden = Annotated[
    tuple[Annotated[int, at_least(1, "units of a layer")], ...], not_empty("use model=auto for no layer")
]

FEW_ROWS_DECAY = 3.0  # of `Mlp` fitted whole: weight decay as for a few dozen rows, the size of most coalitions
ADAM_DECAY = 0.01  # of `MlpAdam`: penalty on the squared weights, over 2 rows
ADAM_STEP = 0.01
LARGEST_BATCH = 1280  # of `MlpAdam`: rows of a step


@dataclass(frozen=True)
class Mlp(Model):
    """A multilayer perceptron by cross-entropy or squared error; fitted whole by L-BFGS."""

    hidden: Hidden = (16,)
    activation: Literal["tanh", "relu"] = "tanh"
    name: str = "mlp"

    row_gradients: ClassVar[bool] = True
    fitted_whole: ClassVar[bool] = True

    def replicated(self, shape: Shape) -> ReplicatedModel:
        """Forward and backward pass written out, for many copies at once."""
        from assay.learning.models.heads import head_for
        from assay.learning.models.perceptron import MultilayerPerceptron

        self.resolved(shape.kind, shape.modality)
        head = head_for(shape.kind, shape.classes)
        return MultilayerPerceptron(shape.features, list(self.hidden), head, self.activation)

    def network(self, shape: Shape) -> nn.Module:
        """Linear layers with the activation between them."""
        from assay.learning.models.torch_networks import layers

        self.resolved(shape.kind, shape.modality)
        return layers([shape.features, *self.hidden, shape.outputs], self.activation)

    def unfitted(self, shape: Shape, rows: int, seed: int) -> Any:
        """scikit-learn's MLPClassifier or MLPRegressor by L-BFGS."""
        self.resolved(shape.kind, shape.modality)
        decay = {"solver": "lbfgs", "alpha": FEW_ROWS_DECAY, "max_iter": 500}
        return _perceptron(shape, self.hidden, self.activation, seed, decay)


@dataclass(frozen=True)
class MlpAdam(Model):
    """A multilayer perceptron fitted whole by `iterations` steps of Adam, as in the code of Covert et al. 2024.

    Each step is over all rows up to 1,280.
    """

    hidden: Hidden = (32,)
    activation: Literal["tanh", "relu"] = "relu"
    iterations: Annotated[int, at_least(1, "a whole number from 1 on")] = 200
    name: str = "mlp_adam"

    fitted_whole: ClassVar[bool] = True

    def unfitted(self, shape: Shape, rows: int, seed: int) -> Any:
        """scikit-learn's MLPClassifier or MLPRegressor by Adam."""
        self.resolved(shape.kind, shape.modality)
        steps = {"solver": "adam", "alpha": ADAM_DECAY, "learning_rate_init": ADAM_STEP, "max_iter": self.iterations}
        steps["batch_size"] = min(LARGEST_BATCH, rows)
        return _perceptron(shape, self.hidden, self.activation, seed, steps)


def _perceptron(shape: Shape, hidden: Sequence[int], activation: str, seed: int, choices: dict[str, Any]) -> Any:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    kind = MLPRegressor if shape.kind == "regression" else MLPClassifier
    return kind(hidden_layer_sizes=tuple(hidden), activation=activation, random_state=seed, **choices)
