"""model=auto."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from assay.learning.models.affine import BagOfWords, Linear, Logistic
from assay.learning.models.model import Model, Shape

if TYPE_CHECKING:
    from torch import nn

    from assay.learning.models.replicated import ReplicatedModel


@dataclass(frozen=True)
class Auto(Model):
    """`Linear` for a regression, `Logistic` for classes, `BagOfWords` for classes of text."""

    name: str = "auto"

    row_gradients: ClassVar[bool] = True
    fitted_whole: ClassVar[bool] = True
    closed_form: ClassVar[bool] = True
    reads: ClassVar[frozenset[str]] = frozenset({"table", "image", "text"})

    def resolved(self, kind: str, modality: str = "table") -> Model:
        """The model for a target and a modality."""
        chosen = Linear() if kind == "regression" else BagOfWords() if modality == "text" else Logistic()
        return chosen.resolved(kind, modality)

    def replicated(self, shape: Shape) -> ReplicatedModel:
        """The chosen model with a replicate axis."""
        return self.resolved(shape.kind, shape.modality).replicated(shape)

    def network(self, shape: Shape) -> nn.Module:
        """The chosen model's network."""
        return self.resolved(shape.kind, shape.modality).network(shape)

    def unfitted(self, shape: Shape, rows: int, seed: int) -> Any:
        """The chosen model's estimator."""
        return self.resolved(shape.kind, shape.modality).unfitted(shape, rows, seed)
