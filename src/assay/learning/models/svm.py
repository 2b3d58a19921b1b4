"""model=svm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from assay.learning.models.model import Model, Shape


@dataclass(frozen=True)
class Svm(Model):
    """A support vector machine with a radial kernel and Platt's probabilities, fitted whole at C=1."""

    name: str = "svm"

    fitted_whole: ClassVar[bool] = True
    fits: ClassVar[frozenset[str]] = frozenset({"classification"})

    def unfitted(self, shape: Shape, rows: int, seed: int) -> Any:
        """scikit-learn's SVC."""
        from sklearn.svm import SVC

        self.resolved(shape.kind, shape.modality)
        return SVC(C=1.0, probability=True, random_state=seed)
