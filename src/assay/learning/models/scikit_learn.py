"""Any estimator with scikit-learn's interface: by the name of its class, or as a live object from Python."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from assay.config.suggest import did_you_mean
from assay.errors import InputError
from assay.learning.models.model import Model, Shape

_EXAMPLE = "e.g. model.estimator=sklearn.ensemble.RandomForestClassifier"
_KINDS = {"regressor": frozenset({"regression"}), "classifier": frozenset({"classification"})}


class _AnyEstimator(Model):
    """Common to the two: the interface is all that is known of the estimator."""

    fitted_whole: ClassVar[bool] = True
    reads: ClassVar[frozenset[str]] = frozenset({"table", "image", "text"})

    @property
    def fits(self) -> frozenset[str]:  # type: ignore[override]
        """Kinds of targets that the estimator is for; InputError for an object that is no estimator."""
        return _kinds_of(self._built())

    def unfitted(self, shape: Shape, rows: int, seed: int) -> Any:
        """A new estimator; where a random_state is None it is `seed`."""
        self.resolved(shape.kind, shape.modality)
        estimator = self._built()
        if not hasattr(estimator, "get_params"):
            return estimator
        given = estimator.get_params(deep=True)
        _check_class_weights(given, shape.classes)
        seeds = {key: seed for key, value in given.items() if key.split("__")[-1] == "random_state" and value is None}
        return estimator.set_params(**seeds)

    def _built(self) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class Sklearn(_AnyEstimator):
    """The estimator of class `estimator` (package.module.Class), built with `arguments` before each fit."""

    estimator: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    name: str = "sklearn"

    def __hash__(self) -> int:
        return hash((self.estimator, repr(sorted(self.arguments.items()))))

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


@dataclass(frozen=True)
class Estimator(_AnyEstimator):
    """A live estimator object, from Python alone; each fit is of a clone, so that the object stays as it is."""

    estimator: Any = None
    name: str = "estimator"

    def _built(self) -> Any:
        from sklearn.base import clone

        if self.estimator is None:
            limit, remedy = "is a live object, which only Python can give", "use model=sklearn with a class by its name"
            raise InputError("model.estimator", "null", limit, remedy)
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


def _kinds_of(estimator: Any) -> frozenset[str]:
    """Kinds of targets by the estimator's own word; both where it says neither."""
    from sklearn.base import is_classifier, is_clusterer, is_regressor

    try:
        if is_clusterer(estimator):
            limit = "is no estimator of a target: it is a clusterer"
            raise InputError("model.estimator", type(estimator).__name__, limit, _EXAMPLE)
        word = "classifier" if is_classifier(estimator) else "regressor" if is_regressor(estimator) else ""
    except AttributeError:  # of an estimator that does not derive from scikit-learn's
        word = getattr(estimator, "_estimator_type", "")
    return _KINDS.get(word, frozenset({"regression", "classification"}))


def _check_class_weights(given: Mapping[str, Any], classes: int) -> None:
    """Classes are coded anew for the rows of each fit, which weights by class would not follow."""
    for key, value in given.items():
        if key.split("__")[-1] == "class_weight" and isinstance(value, Mapping) and classes > 2:
            limit = "names classes, and rows that lack one have other codes"
            raise InputError(f"model.arguments.{key}", dict(value), limit, f"use {key}=balanced or leave it out")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
