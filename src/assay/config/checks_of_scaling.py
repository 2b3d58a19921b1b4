"""Whether the choices of a config make sense where scaling laws are fitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assay.errors import InputError

Config = Mapping[str, Any]

TASKS = frozenset({"scaling_law", "value_at", "law_estimators", "point_addition", "law_theory", "learning_curve"})
_AT_ONE_SIZE = frozenset({"value_at", "point_addition"})  # tasks that read laws at sizes that were not sampled
_LEAST_SAMPLES = 4  # of a law's four parameters
_CLOSED_FORM = frozenset(
    {"auto", "linear", "logistic", "bag_of_words"}
)  # solved by a step from one fit; others are refitted


def check_scaling(config: Config) -> None:
    """Raises InputError when a task on scaling laws has another valuator, or their settings contradict each other."""
    task, valuation = config["task"], config["valuation"]
    if task["name"] in TASKS and valuation["name"] != "scaling_law":
        told = f"task={task['name']} fits scaling laws and this does not"
        raise InputError("valuation", valuation["name"], told, "use valuation=scaling_law, or leave it out")
    if valuation["name"] != "scaling_law" or task["name"] == "train":
        return
    _check_valuator(config)
    _check_samples(config)
    if task["name"] == "law_theory":
        _check_theory(config)
    if task["name"] == "law_estimators" and max(task["samples"]) > task["bank"]:
        told = f"must be at most task.bank={task['bank']}, since a point has each subset once"
        raise InputError("task.samples", max(task["samples"]), told, "raise task.bank")
    if task["name"] == "point_addition":
        _check_addition(config)


def _check_valuator(config: Config) -> None:
    valuation, model = config["valuation"], config["model"]["name"]
    if config["privacy"]["name"] != "none":
        told = "valuation=scaling_law refits models, which have no bounded sensitivity"
        raise InputError("privacy", config["privacy"]["name"], told, "use privacy=none")
    if valuation["smallest"] > valuation["largest"]:
        told = f"must be at most valuation.largest={valuation['largest']}"
        raise InputError("valuation.smallest", valuation["smallest"], told, "e.g. 100 and 999")
    if model == "cnn":
        told = "is not among the models that are refitted whole"
        raise InputError("model", model, told, "use model=auto, mlp or xgboost")
    if valuation["level"] == "cheap" and model not in _CLOSED_FORM:
        told = f"is a closed form and model={model} has none"
        raise InputError("valuation.level", "cheap", told, "use valuation.level=exact")
    if valuation["level"] == "cheap" and valuation["utility"] == "accuracy":
        told = "is expanded to second order at valuation.level=cheap, and accuracy is a step"
        raise InputError("valuation.utility", "accuracy", told, "use valuation.level=exact")
    if valuation["utility"] == "population_risk":
        if config["dataset"]["name"] != "synthetic_regression" or model not in ("auto", "linear"):
            told = "is the excess squared error of a line over a population, which must be known"
            remedy = "use dataset=synthetic_regression and model=linear, or valuation.utility=negative_loss"
            raise InputError("valuation.utility", "population_risk", told, remedy)
    elif config["dataset"].get("kind") == "regression" and valuation["utility"] != "negative_loss":
        told = f"needs classes and dataset={config['dataset']['name']} is a regression dataset"
        raise InputError("valuation.utility", valuation["utility"], told, "use valuation.utility=negative_loss")


def _check_samples(config: Config) -> None:
    """Whether estimators have as many samples as they need, and say something of the sizes that are asked for."""
    task, valuation = config["task"], config["valuation"]
    name = task["name"]
    if name == "law_estimators":
        fewest = min(task["samples"])
        if fewest < _LEAST_SAMPLES and set(task["estimators"]) != {"monte_carlo"}:
            raise InputError("task.samples", fewest, "a law needs 4 or more", "raise it, or use monte_carlo alone")
    if name not in {"value", *_AT_ONE_SIZE}:
        return
    others = list(task["estimators"]) if name == "point_addition" else []
    estimators = [("valuation.estimator", valuation["estimator"]), *(("task.estimators", each) for each in others)]
    for key, estimator in estimators:
        if estimator != "monte_carlo" and valuation["evaluations"] < _LEAST_SAMPLES:
            remedy = "raise it, or use valuation.estimator=monte_carlo"
            raise InputError("valuation.evaluations", valuation["evaluations"], "a law needs 4 or more", remedy)
        if estimator == "monte_carlo" and name in _AT_ONE_SIZE:
            told = f"is no law, and task={name} needs one at sizes that were not sampled"
            raise InputError(key, estimator, told, "use likelihood or empirical_bayes")


def _check_theory(config: Config) -> None:
    dataset, model = config["dataset"], config["model"]["name"]
    if dataset["name"] != "synthetic_regression":
        told = "has no population that theory could speak of"
        raise InputError("dataset", dataset["name"], told, "use dataset=synthetic_regression")
    if model not in ("auto", "linear"):
        raise InputError("model", model, "task=law_theory is about least squares", "use model=linear")
    if dataset["synthetic"]["noise"] == 0:
        told = "theory measures errors in standard deviations of the noise"
        raise InputError("dataset.synthetic.noise", 0, told, "raise it")
    least = dataset["synthetic"]["dimension"] + 2
    if config["valuation"]["smallest"] < least:
        told = f"{least - 2} features have no mean contribution below {least} rows"
        raise InputError("valuation.smallest", config["valuation"]["smallest"], told, "raise it")


def _check_addition(config: Config) -> None:
    task, split = config["task"], config["dataset"]["split"]
    if task["add"] >= task["candidates"]:
        told = f"leaves no choice among task.candidates={task['candidates']}"
        raise InputError("task.add", task["add"], told, "lower it, or raise task.candidates")
    largest = max([*task["pools"], config["valuation"]["largest"]])
    if split["train"] >= 1 and task["candidates"] + largest > split["train"]:
        told = f"needs task.candidates={task['candidates']} and {largest} rows beside them"
        raise InputError("dataset.split.train", f"{split['train']:g}", told, "raise it, or lower task.pools")
    if task["joint"] and config["model"]["name"] not in _CLOSED_FORM:
        told = f"scores points again and again, and model={config['model']['name']} has no closed form to do it by"
        raise InputError("task.joint", "true", told, "use task.joint=false, or model=auto")
    if task["repeats"] and split["test"] == 0:
        told = "task.repeats scores on the test split"
        raise InputError("dataset.split.test", "0", told, "a share, or a number of rows; or task.repeats=0")
