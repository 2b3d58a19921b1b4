"""Learners that are fitted whole, for valuators that refit on coalitions of rows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from assay.errors import InputError
from assay.learning.models import Model, Shape

Matrix = NDArray[np.float64]


class Predictor(Protocol):
    """A fitted model."""

    def predict(self, features: Matrix) -> Matrix:
        """Regression: predictions [m]. Classification: probabilities [m, classes]."""
        ...


@dataclass(frozen=True)
class Constant:
    """The same prediction for every row: all that no rows, or rows of one class, can say."""

    answer: Matrix

    def predict(self, features: Matrix) -> Matrix:
        """The constant, once for each row."""
        return np.broadcast_to(self.answer, (len(features), *self.answer.shape)).astype(np.float64)


@dataclass(frozen=True)
class _Fitted:
    """An estimator fitted to so many rows; it states its refusals in one line."""

    estimator: Any
    model: str
    rows: int

    def answer(self, method: str, features: Matrix) -> NDArray[Any]:
        with _refusals_in_one_line(self.model, self.rows):
            return np.asarray(getattr(self.estimator, method)(features))


@dataclass(frozen=True)
class _Regressor:
    fitted: _Fitted

    def predict(self, features: Matrix) -> Matrix:
        return self.fitted.answer("predict", features).astype(np.float64).reshape(len(features))


@dataclass(frozen=True)
class _Classifier:
    """Classes are coded by their place among those `present` in the rows of the fit."""

    fitted: _Fitted
    present: NDArray[np.int64]
    classes: int

    def predict(self, features: Matrix) -> Matrix:
        probabilities = np.zeros((len(features), self.classes))
        if hasattr(self.fitted.estimator, "predict_proba"):
            probabilities[:, self.present] = self.fitted.answer("predict_proba", features)
        else:
            codes = self.fitted.answer("predict", features).astype(np.int64).reshape(len(features))
            probabilities[np.arange(len(features)), self.present[codes]] = 1.0
        return probabilities


@dataclass(frozen=True)
class Learner:
    """Fits a model to rows; the same rows in the same order give the same predictor, whatever was fitted before.

    InputError for a model that is not fitted whole, or that does not fit the shape.
    """

    model: Model
    shape: Shape

    def fit(self, features: Matrix, target: NDArray[Any], seed: int = 0) -> Predictor:
        """A predictor from features [n, d] and target [n]; a constant when no row or one class alone is given."""
        if self.shape.kind == "regression":
            if len(target) == 0:
                return Constant(np.asarray(0.0))  # targets are standardised on the valid split
            return _Regressor(self._fitted(features, target, seed))
        classes = self.shape.classes
        present, codes = np.unique(target.astype(np.int64), return_inverse=True)
        if len(present) < 2:
            return Constant(np.full(classes, 1.0 / classes) if len(present) == 0 else np.eye(classes)[present[0]])
        return _Classifier(self._fitted(features, codes, seed), present, classes)

    def _fitted(self, features: Matrix, target: NDArray[Any], seed: int) -> _Fitted:
        """The fitted estimator, without two remarks of scikit-learn on choices that are meant."""
        name, rows = self.model.name, len(target)
        estimator = self.model.unfitted(self.shape, rows, seed)
        with warnings.catch_warnings(), _refusals_in_one_line(name, rows):
            # a number of iterations of Adam is part of its model; probability=True is what the paper's code says
            warnings.filterwarnings("ignore", message="Stochastic Optimizer: Maximum iterations")
            warnings.filterwarnings("ignore", message="The `probability` parameter was deprecated")
            return _Fitted(estimator.fit(features, target), name, rows)


@contextmanager
def _refusals_in_one_line(model: str, rows: int) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        limit = f"refuses a fit to {rows} rows: {str(error).splitlines()[0]}"
        raise InputError("model", model, limit, "use a model that so few rows are enough for") from error
