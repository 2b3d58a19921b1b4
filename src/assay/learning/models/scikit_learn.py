"""Any estimator with scikit-learn's interface: by the name of its class, or as a live object from Python."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from assay.config.suggest import did_you_mean
from assay.errors import InputError
from assay.learning.models.model import Model, Shape

if TYPE_CHECKING:
    from assay.config import Choices

_EXAMPLE = "e.g. model.estimator=sklearn.ensemble.RandomForestClassifier"
_KINDS = {"regressor": "regression", "classifier": "classification"}


class _AnyEstimator(Model):
    """What the two have in common: all that is known of the estimator is its interface."""

    fitted_whole: ClassVar[bool] = True
    reads: ClassVar[frozenset[str]] = frozenset({"table", "image", "text"})

    def check(self, run: Choices) -> None:
        """Raises InputError for what is no estimator, and for one of another kind of target than the dataset's."""
        super().check(run)
        self._fresh(run.dataset.kind)

    def resolved(self, kind: str, modality: str = "table") -> Model:
        """Itself; InputError for an estimator of another kind of target."""
        super().resolved(kind, modality)
        self._fresh(kind)
        return self

    def unfitted(self, shape: Shape, rows: int, seed: int) -> Any:
        """A new estimator; where a random_state is None it is `seed`."""
        estimator = self._fresh(shape.kind)
        if not hasattr(estimator, "get_params"):
            return estimator
        given = estimator.get_params(deep=True)
        _check_class_weights(given, shape.classes)
        seeds = {key: seed for key, value in given.items() if key.split("__")[-1] == "random_state" and value is None}
        return estimator.set_params(**seeds)

    def _fresh(self, kind: str) -> Any:
        """A new estimator for this kind of target (auto: for any)."""
        estimator = self._built()
        wanted = _kind_of(estimator)
        if "auto" not in (kind, wanted) and kind != wanted:
            limit = f"is for a {wanted} and the target is a {kind}"
            raise InputError("model.estimator", type(estimator).__name__, limit, f"use an estimator for a {kind}")
        return estimator

    def _built(self) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class Sklearn(_AnyEstimator):
    """The estimator of class `estimator` (package.module.Class), built with `arguments` before each fit."""

    estimator: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    name: str = "sklearn"

    def _built(self) -> Any:
        kind = _class_of(self.estimator)
        try:
            return kind(**self.arguments)
        except TypeError as error:
            known = inspect.signature(kind).parameters
            unknown = [key for key in self.arguments if key not in known]
            key = f"model.arguments.{unknown[0]}" if unknown else "model.arguments"
            value = self.arguments[unknown[0]] if unknown else self.arguments
            limit = f"{kind.__name__} has no such argument" if unknown else _first_line(error)
            remedy = did_you_mean(unknown[0], known) if unknown else f"see help({kind.__name__})"
            raise InputError(key, value, limit, remedy) from error


@dataclass(frozen=True, eq=False)
class Estimator(_AnyEstimator):
    """A live estimator object, from Python alone; each fit is of a clone, so that the object stays as it is."""

    estimator: Any
    name: str = "estimator"

    def _built(self) -> Any:
        from sklearn.base import clone

        _check_interface(self.estimator, type(self.estimator).__name__)
        try:
            return clone(self.estimator)
        except TypeError as error:
            limit = "cannot be cloned: " + _first_line(error)
            raise InputError("model.estimator", type(self.estimator).__name__, limit, "give it get_params") from error


def _class_of(path: str | None) -> type:
    if path is None:
        raise InputError("model.estimator", "null", "must name a class", _EXAMPLE)
    module_name, _, name = path.rpartition(".")
    if not module_name:
        raise InputError("model.estimator", path, "must be written package.module.Class", _EXAMPLE)
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        limit = f"{module_name} cannot be imported: {_first_line(error)}"
        raise InputError("model.estimator", path, limit, "install its package, or correct the name") from error
    kind = getattr(module, name, None)
    if kind is None:
        classes = [key for key, value in vars(module).items() if inspect.isclass(value)]
        limit = f"{module_name} has no {name}"
        raise InputError("model.estimator", path, limit, did_you_mean(name, classes, f"{module_name}."))
    if not inspect.isclass(kind):
        raise InputError("model.estimator", path, "is no class", _EXAMPLE)
    _check_interface(kind, path)
    return kind


def _check_interface(estimator: Any, shown: str) -> None:
    missing = [method for method in ("fit", "predict") if not callable(getattr(estimator, method, None))]
    if missing:
        limit = f"is no estimator of a target: it has no {' and no '.join(missing)}"
        raise InputError("model.estimator", shown, limit, _EXAMPLE)


def _kind_of(estimator: Any) -> str:
    """regression or classification, by the estimator's own word; auto where it says neither."""
    from sklearn.base import is_classifier, is_clusterer, is_regressor

    try:
        if is_clusterer(estimator):
            raise InputError(
                "model.estimator", type(estimator).__name__, "is no estimator of a target: it is a clusterer", _EXAMPLE
            )
        return "classification" if is_classifier(estimator) else "regression" if is_regressor(estimator) else "auto"
    except AttributeError:  # of an estimator that does not derive from scikit-learn's
        return _KINDS.get(getattr(estimator, "_estimator_type", ""), "auto")


def _check_class_weights(given: Mapping[str, Any], classes: int) -> None:
    """Classes are coded anew for the rows of each fit, which weights by class would not follow."""
    for key, value in given.items():
        if key.split("__")[-1] == "class_weight" and isinstance(value, Mapping) and classes > 2:
            limit = "names classes, and rows that lack one have other codes"
            raise InputError(f"model.arguments.{key}", dict(value), limit, f"use {key}=balanced or leave it out")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
