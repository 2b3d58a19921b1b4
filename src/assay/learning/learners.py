"""Learners that are fitted whole, for valuators that refit on coalitions of rows."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from assay.learning.models.build import ModelSpec

Matrix = NDArray[np.float64]

RIDGE = 1e-3  # penalty on the squared coefficients of model=linear, not on its intercept: few rows are solvable
DECAY = 0.01  # model=mlp_adam: penalty on the squared weights, over 2 rows
STEP = 0.01  # model=mlp_adam: Adam's step
LARGEST_BATCH = 1280  # model=mlp_adam: rows of a step


class Predictor(Protocol):
    """A fitted model."""

    def predict(self, features: Matrix) -> Matrix:
        """Regression: predictions [m]. Classification: probabilities [m, classes]."""
        ...


@dataclass(frozen=True)
class Constant:
    """Predicts the same for every row: what can be known from no rows, or from rows of one class."""

    answer: Matrix

    def predict(self, features: Matrix) -> Matrix:
        """The constant, once for each row."""
        return np.broadcast_to(self.answer, (len(features), *self.answer.shape)).astype(np.float64)


@dataclass(frozen=True)
class _Classifier:
    fitted: Any
    classes: int

    def predict(self, features: Matrix) -> Matrix:
        probabilities = np.zeros((len(features), self.classes))
        probabilities[:, self.fitted.classes_.astype(int)] = self.fitted.predict_proba(features)
        return probabilities


@dataclass(frozen=True)
class _BoostedClassifier:
    fitted: Any
    present: NDArray[np.int64]
    classes: int

    def predict(self, features: Matrix) -> Matrix:
        probabilities = np.zeros((len(features), self.classes))
        probabilities[:, self.present] = self.fitted.predict_proba(features)
        return probabilities


@dataclass(frozen=True)
class Learner:
    """Fits a named model to rows; the same rows in the same order give the same predictor, whatever was fitted before."""

    spec: ModelSpec
    kind: str
    classes: int
    modality: str = "table"

    def fit(self, features: Matrix, target: NDArray[Any], seed: int = 0) -> Predictor:
        """A predictor from features [n, d] and target [n]; a constant when there is nothing to tell apart."""
        if self.kind == "regression":
            if len(target) == 0:
                return Constant(np.asarray(0.0))  # targets are standardised on the valid split
            return _fitted(self._regression(seed, len(target)), features, target)  # type: ignore[no-any-return]
        present = np.unique(target.astype(np.int64))
        if len(present) < 2:
            shares = (
                np.full(self.classes, 1.0 / self.classes) if len(present) == 0 else np.eye(self.classes)[present[0]]
            )
            return Constant(shares)
        if self.spec.resolved(self.kind, self.modality) == "xgboost":
            codes = np.searchsorted(present, target.astype(np.int64))
            return _BoostedClassifier(self._boosted("XGBClassifier", seed).fit(features, codes), present, self.classes)
        unfitted = self._classifier(seed, len(target))
        return _Classifier(_fitted(unfitted, features, target.astype(np.int64)), self.classes)

    def _regression(self, seed: int, rows: int) -> Any:
        from sklearn.linear_model import Ridge
        from sklearn.neural_network import MLPRegressor

        name = self.spec.resolved(self.kind, self.modality)
        if name == "xgboost":
            return self._boosted("XGBRegressor", seed)
        if name == "mlp":
            return MLPRegressor(**self._layers(), random_state=seed)
        if name == "mlp_adam":
            return MLPRegressor(**self._steps(rows), random_state=seed)
        return Ridge(alpha=RIDGE, fit_intercept=self.spec.intercept)

    def _classifier(self, seed: int, rows: int) -> Any:
        from sklearn.linear_model import LogisticRegression
        from sklearn.neural_network import MLPClassifier
        from sklearn.svm import SVC

        name = self.spec.resolved(self.kind, self.modality)
        if name == "mlp":
            return MLPClassifier(**self._layers(), random_state=seed)
        if name == "mlp_adam":
            return MLPClassifier(**self._steps(rows), random_state=seed)
        if name == "svm":
            return SVC(C=1.0, probability=True, random_state=seed)
        return LogisticRegression(C=1.0, fit_intercept=self.spec.intercept, max_iter=500)

    def _layers(self) -> dict[str, Any]:
        """Weight decay as for a few dozen rows, which is what most coalitions hold."""
        shape = {"hidden_layer_sizes": tuple(self.spec.hidden), "activation": self.spec.activation}
        return {**shape, "solver": "lbfgs", "alpha": 3.0, "max_iter": 500}

    def _steps(self, rows: int) -> dict[str, Any]:
        """As in the code of Covert et al. 2024."""
        shape = {"hidden_layer_sizes": tuple(self.spec.hidden), "activation": self.spec.activation}
        steps = {"learning_rate_init": STEP, "max_iter": self.spec.iterations, "batch_size": min(LARGEST_BATCH, rows)}
        return {**shape, "solver": "adam", "alpha": DECAY, **steps}

    def _boosted(self, kind: str, seed: int) -> Any:
        import xgboost

        choices = {
            "n_estimators": self.spec.trees,
            "max_depth": self.spec.depth,
            "learning_rate": self.spec.learning_rate,
        }
        return getattr(xgboost, kind)(**choices, tree_method="hist", n_jobs=1, random_state=seed)


def _fitted(unfitted: Any, features: Matrix, target: NDArray[Any]) -> Any:
    """The fitted estimator, without two remarks of scikit-learn on choices that are meant."""
    with warnings.catch_warnings():
        # a number of iterations of mlp_adam is part of the model; probability=True is what the paper's code says
        warnings.filterwarnings("ignore", message="Stochastic Optimizer: Maximum iterations")
        warnings.filterwarnings("ignore", message="The `probability` parameter was deprecated")
        return unfitted.fit(features, target)
