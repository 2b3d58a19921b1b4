"""What no single key can tell: whether the choices of a composed config make sense together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assay.config.checks_of_scaling import check_scaling
from assay.config.listing import options
from assay.config.suggest import did_you_mean
from assay.config.typed import shown
from assay.errors import InputError

Config = Mapping[str, Any]

_GRADIENT_FREE = {"xgboost", "svm", "mlp_adam"}
_REPEATED = {"iid", "running_mean", "running_mean_burn_in"}
# what has no value of its own where another mechanism was chosen; the other keys keep those of their YAML files
_OWN_KEY = {"running_mean_burn_in": "burn_in", "public_clip": "burn_in", "lower_triangular": "matrix"}
# compare mechanisms with each other
_COMPARING = {
    "estimation_uncertainty",
    "label_noise",
    "selection_curve",
    "membership",
    "party_uncertainty",
    "federated",
}
_OF_PARTIES = {"party_value", "party_uncertainty", "federated"}


def check_composition(config: Config) -> None:
    """Raises InputError when the choices contradict each other or some of them could change nothing."""
    _check_model(config)
    _check_task(config)
    _check_parties(config)
    _check_utility(config)
    check_scaling(config)


def _check_model(config: Config) -> None:
    model, valuation = config["model"]["name"], config["valuation"]["name"]
    if config["privacy"]["name"] != "none" and model in _GRADIENT_FREE:
        _pointless_privacy(config, f"model={model} has no per-row gradients to make private")
    if config["task"]["name"] == "train":
        if model in _GRADIENT_FREE:
            raise InputError(
                "model", model, "is not trained by gradients", "use model=auto, mlp or cnn with task=train"
            )
        return
    if model == "cnn" and valuation == "semivalue":
        told = "is trained by gradients and valuation=semivalue refits models whole"
        raise InputError("model", model, told, "use valuation=gradient_semivalue, or model=mlp")
    if valuation == "gradient_semivalue" and model in _GRADIENT_FREE:
        told = f"follows gradients and model={model} has none"
        raise InputError("valuation", valuation, told, "use valuation=semivalue, or model=auto")


def _pointless_privacy(config: Config, why: str) -> None:
    remedy = "use privacy=none, or valuation=gradient_semivalue with model=auto"
    raise InputError("privacy", config["privacy"]["name"], why, remedy)


def _check_task(config: Config) -> None:
    task, valuation = config["task"], config["valuation"]["name"]
    if task["name"] == "audit" and config["privacy"]["name"] not in ("directed", "directed_gaussian"):
        told = "attacks one number of a row along public trajectories"
        raise InputError("task", "audit", told, "use privacy=directed or privacy=directed_gaussian")
    if task["name"] not in _COMPARING:
        return
    if valuation == "semivalue":
        told = "compares noise mechanisms and valuation=semivalue has none"
        raise InputError("task", task["name"], told, "use valuation=gradient_semivalue")
    if task.get("replicates", 2) < 2:
        told = f"task={task['name']} needs 2 or more to see a variance"
        raise InputError("task.replicates", task["replicates"], told, "e.g. task.replicates=24")
    if task["name"] == "membership" and config["valuation"].get("wave", 1) != 1:
        told = "task=membership values a table of its own in each lane"
        raise InputError("valuation.wave", config["valuation"]["wave"], told, "use valuation.wave=1")
    if task["name"] == "selection_curve" and config["dataset"]["split"]["test"] == 0:
        told = "task=selection_curve scores on the test split"
        raise InputError("dataset.split.test", "0", told, "a share, or a number of rows")
    known = [name for name, _ in options("privacy") if name != "white"]
    for mechanism in task["mechanisms"]:
        if mechanism not in known and mechanism != config["privacy"]["name"]:
            told = f"'{mechanism}' is no mechanism"
            raise InputError("task.mechanisms", shown(task["mechanisms"]), told, did_you_mean(mechanism, known))
    private = [mechanism for mechanism in task["mechanisms"] if mechanism != "none"]
    if private and config["privacy"]["name"] == "none":
        told = f"'{private[0]}' needs a budget and privacy=none has none"
        remedy = f"add privacy={private[0]}, or use task.mechanisms=[none]"
        raise InputError("task.mechanisms", shown(task["mechanisms"]), told, remedy)
    for mechanism in private:
        key = _OWN_KEY.get(mechanism)
        if key is not None and key not in config["privacy"]:
            told = f"'{mechanism}' needs privacy.{key} and privacy={config['privacy']['name']} has none"
            raise InputError("task.mechanisms", shown(task["mechanisms"]), told, f"use privacy={mechanism}")


def _check_parties(config: Config) -> None:
    task, mechanism = config["task"]["name"], config["privacy"]["name"]
    if task not in _OF_PARTIES:
        return
    if config["valuation"]["name"] == "semivalue":
        told = f"refits models on rows and task={task} values parties along gradients"
        raise InputError("valuation", "semivalue", told, "use valuation=gradient_semivalue")
    for key, plain in (("wave", 1), ("permutations", "plain")):
        if config["valuation"].get(key, plain) != plain:
            told = f"task={task} walks plain permutations of parties, one at a time"
            raise InputError(f"valuation.{key}", config["valuation"][key], told, f"use valuation.{key}={plain}")
    if mechanism not in {"none", *_REPEATED}:
        told = f"has no account of parties, which task={task} values"
        raise InputError("privacy", mechanism, told, "use privacy=iid, running_mean or running_mean_burn_in")
    for each in config["task"].get("mechanisms", ()):
        if each not in {"none", *_REPEATED}:
            told = f"'{each}' has no account of parties"
            raise InputError("task.mechanisms", shown(config["task"]["mechanisms"]), told, "e.g. [none,iid]")


def _check_utility(config: Config) -> None:
    dataset, utility = config["dataset"], config["valuation"].get("utility")
    if utility == "accuracy" and dataset.get("kind") == "regression":
        told = f"counts right classes and dataset={dataset['name']} is a regression dataset"
        raise InputError("valuation.utility", utility, told, "use valuation.utility=negative_loss")
    if utility == "accuracy" and "directed_subspace" in (config["task"].get("mechanisms") or ()):
        told = "has no gradient, along which privacy=directed_subspace could project"
        raise InputError("valuation.utility", utility, told, "use privacy=directed, or valuation.utility=negative_loss")
