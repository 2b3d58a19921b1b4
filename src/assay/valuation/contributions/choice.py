"""The quickest solver of contributions for a model; any model that is fitted whole has one."""

from __future__ import annotations

from collections.abc import Callable

from assay.errors import InputError
from assay.learning.models import Model
from assay.learning.models.affine import BagOfWords, Linear, Logistic
from assay.valuation.contributions.scores import population_coefficients
from assay.valuation.contributions.setting import Setting
from assay.valuation.contributions.solver import Level, Solver


def solver_for(setting: Setting, level: Level, workers: int = 1) -> Solver:
    """The quickest solver of a setting at a level; fits of a learner are spread over `workers` processes.

    Raises InputError for a model that does not fit the target or the utility, or that is not fitted whole, and for
    level=cheap where there is no closed-form step.
    """
    model = setting.model.resolved(setting.kind, setting.modality)
    if not model.fitted_whole:
        limit = "is trained by gradients, and contributions are differences of models that are fitted whole"
        raise InputError("model", model.name, limit, "use model=mlp_adam, or model=auto")
    if setting.utility == "population_risk":
        population_coefficients(setting)
    if level != "refit" and has_closed_form(setting):
        return _CLOSED_FORMS[type(model)](setting, level)
    if level == "cheap":
        limit = f"is a closed-form step, and model={model.name} has none"
        raise InputError("valuation.level", level, limit, "use valuation.level=exact or refit")
    from assay.valuation.contributions.refits import RefitSolver
    from assay.valuation.contributions.shared_svm import SharedSvmSolver
    from assay.valuation.contributions.stacked_mlp import SharedMlpSolver

    for sharing in (SharedMlpSolver, SharedSvmSolver):
        if level == "exact" and sharing.serves(model):
            return sharing(setting, workers)
    return RefitSolver(setting, workers)


def has_closed_form(setting: Setting) -> bool:
    """True of a model whose contributions need no fit for each point."""
    return type(setting.model) in _CLOSED_FORMS


def has_cheap_step(setting: Setting) -> bool:
    """True where level=cheap differs from level=exact: for logistic models, unless judged by accuracy."""
    return has_closed_form(setting) and setting.kind == "classification" and setting.utility != "accuracy"


def _least_squares(setting: Setting, level: Level) -> Solver:
    from assay.valuation.contributions.least_squares import LeastSquaresSolver

    return LeastSquaresSolver(setting, level)


def _logistic(setting: Setting, level: Level) -> Solver:
    if setting.classes == 2:
        from assay.valuation.contributions.binary_logistic import BinaryLogisticSolver

        return BinaryLogisticSolver(setting, level)
    from assay.valuation.contributions.softmax_logistic import SoftmaxLogisticSolver

    return SoftmaxLogisticSolver(setting, level)


# by the very class: one derived from it may fit otherwise, and is refitted
_CLOSED_FORMS: dict[type[Model], Callable[[Setting, Level], Solver]] = {
    Linear: _least_squares,
    Logistic: _logistic,
    BagOfWords: _logistic,
}
