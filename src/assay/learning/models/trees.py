"""model=xgboost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from assay.config.limits import above, at_least
from assay.learning.models.model import Model, Shape


@dataclass(frozen=True)
class XGBoost(Model):
    """Gradient-boosted trees, fitted whole."""

    trees: Annotated[int, at_least(1, "a whole number from 1 on")] = 50
    depth: Annotated[int, at_least(1, "a whole number from 1 on")] = 4
    learning_rate: Annotated[float, above(0, "e.g. 0.05")] = 0.3
    name: str = "xgboost"

    fitted_whole: ClassVar[bool] = True

    def unfitted(self, shape: Shape, rows: int, seed: int) -> Any:
        """xgboost's XGBClassifier or XGBRegressor."""
        import xgboost

        self.resolved(shape.kind, shape.modality)
        choices = {"n_estimators": self.trees, "max_depth": self.depth, "learning_rate": self.learning_rate}
        kind = xgboost.XGBRegressor if shape.kind == "regression" else xgboost.XGBClassifier
        return kind(**choices, tree_method="hist", n_jobs=1, random_state=seed)
