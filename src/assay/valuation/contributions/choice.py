"""Which solver finds the contributions in a setting."""

from __future__ import annotations

from assay.errors import InputError
from assay.valuation.contributions.scores import population_coefficients
from assay.valuation.contributions.setting import Setting
from assay.valuation.contributions.solver import Level, Solver

_LOGISTIC = frozenset({"logistic", "bag_of_words"})


def has_cheap_step(setting: Setting) -> bool:
    """Whether level=cheap is another computation than level=exact: of logistic models, unless judged by accuracy.

    InputError as `solver_for`.
    """
    return _model(setting) in _LOGISTIC and setting.utility != "accuracy"


def solver_for(setting: Setting, level: Level, workers: int = 1) -> Solver:
    """The quickest solver of a setting at a level; fits of a learner are spread over `workers` processes.

    Raises InputError for a model that does not fit the target or the utility, or that is not fitted whole, and for
    level=cheap where there is no closed-form step.
    """
    name = _model(setting)
    if setting.utility == "population_risk":
        population_coefficients(setting)
    if level != "refit" and name == "linear":
        from assay.valuation.contributions.least_squares import LeastSquaresSolver

        return LeastSquaresSolver(setting, level)
    if level != "refit" and name in _LOGISTIC:
        return _logistic(setting, level)
    if level == "cheap":
        told = f"is a closed-form step, and model={name} has none"
        raise InputError("valuation.level", level, told, "use valuation.level=exact or refit")
    from assay.valuation.contributions.refits import RefitSolver
    from assay.valuation.contributions.shared_svm import SharedSvmSolver
    from assay.valuation.contributions.stacked_mlp import SharedMlpSolver, trains_side_by_side

    if level == "exact" and trains_side_by_side(setting.model):
        return SharedMlpSolver(setting, workers)
    if level == "exact" and name == "svm":
        return SharedSvmSolver(setting, workers)
    return RefitSolver(setting, workers)


def _logistic(setting: Setting, level: Level) -> Solver:
    if setting.classes == 2:
        from assay.valuation.contributions.binary_logistic import BinaryLogisticSolver

        return BinaryLogisticSolver(setting, level)
    from assay.valuation.contributions.softmax_logistic import SoftmaxLogisticSolver

    return SoftmaxLogisticSolver(setting, level)


def _model(setting: Setting) -> str:
    name = setting.model.resolved(setting.kind, setting.modality)
    if name == "cnn":
        told = "is trained by gradients, and contributions are differences of models that are fitted whole"
        raise InputError("model", name, told, "use model=mlp_adam, or model=auto")
    return name
