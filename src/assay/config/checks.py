"""What no single key can tell: whether the choices of a composed config make sense together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.config.checks_of_scaling import check_scaling
from assay.config.listing import options
from assay.config.suggest import did_you_mean
from assay.config.typed import shown
from assay.errors import InputError

Config = Mapping[str, Any]

_GRADIENT_FREE = {"xgboost", "svm", "mlp_adam"}
_DIRECTED = {"directed", "directed_gaussian", "directed_private_path", "directed_subspace"}
_REPEATED = {"iid", "running_mean", "running_mean_burn_in"}
_PER_ROW = _REPEATED | {"front_loaded", "lower_triangular", "public_clip", "vector_release"} | _DIRECTED
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
_VALUING = {"value", "audit", *_COMPARING, *_OF_PARTIES}


def check_composition(config: Config) -> None:
    """Raises InputError when the choices contradict each other or some of them could change nothing."""
    _check_model(config)
    _check_privacy(config)
    _check_publication(config)
    _check_task(config)
    _check_parties(config)
    _check_burn_in(config)
    _check_releases(config)
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


def _check_privacy(config: Config) -> None:
    if (
        config["task"]["name"] != "train"
        and config["privacy"]["name"] != "none"
        and config["valuation"]["name"] == "semivalue"
    ):
        _pointless_privacy(config, "valuation=semivalue refits whole models, which release nothing per row")
    if config["privacy"].get("secure_noise") and config["trainer"].get("precision") == 32:
        told = "single precision leaves gaps in the noise that betray what it hides"
        raise InputError("privacy.secure_noise", "true", told, "use trainer.precision=64")
    task, privacy = config["task"]["name"], config["privacy"]["name"]
    if task in _VALUING and privacy == "white":
        remedy = "use privacy=iid, running_mean or running_mean_burn_in, or task=train"
        raise InputError("privacy", privacy, f"adds noise to batches and task={task} releases single rows", remedy)
    if task == "train" and privacy not in ("none", "white") and privacy in _PER_ROW:
        told = "releases single rows and task=train releases sums over batches"
        raise InputError("privacy", privacy, told, "use privacy=white")
    if task == "train" and config["task"]["statistics"] and (privacy != "none" or config["task"]["parts"] != 1):
        told = "reads single rows outside the account, and needs a step for each batch"
        raise InputError("task.statistics", "true", told, "use privacy=none and task.parts=1")
    if config["privacy"].get("relation") == "add_remove" and config["task"]["name"] in _VALUING:
        told = f"task={config['task']['name']} releases rows by name, which shows that they are there"
        raise InputError("privacy.relation", "add_remove", told, "use privacy.relation=zero_out or replace_one")


def _check_publication(config: Config) -> None:
    """Values for publication need a mechanism, and a task that publishes nothing else."""
    valuation, privacy, task = config["valuation"]["name"], config["privacy"]["name"], config["task"]["name"]
    if valuation != "private_semivalue":
        return
    if privacy == "none":
        told = "makes values for publication and privacy=none protects nobody"
        raise InputError("valuation", valuation, told, "use privacy=directed, or valuation=gradient_semivalue")
    if task != "value":
        told = f"makes values for publication and task={task} is for research"
        raise InputError("valuation", valuation, told, "use task=value, or valuation=gradient_semivalue")


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


def _check_burn_in(config: Config) -> None:
    burn_in = config["privacy"].get("burn_in", 0)
    own, plain = config["task"].get("evaluations"), config["valuation"].get("evaluations")
    key, numbers = ("task.evaluations", own) if own else ("valuation.evaluations", [plain])
    if burn_in < 1 or numbers == [None]:
        return
    if burn_in >= min(numbers):
        told = f"must be below every number of evaluations, and {key} has {min(numbers)}"
        remedy = "a share below 1 fits every number, e.g. privacy.burn_in=0.5"
        raise InputError("privacy.burn_in", f"{burn_in:g}", told, remedy)
    if not float(burn_in).is_integer():
        raise InputError("privacy.burn_in", f"{burn_in:g}", "must be a whole number of them", "or a share below 1")


def _check_releases(config: Config) -> None:
    privacy, valuation = config["privacy"], config["valuation"]
    if privacy["name"] == "lower_triangular":
        remedy = "add privacy.matrix=... with a .csv or .npy file"
        if privacy["matrix"] is None:
            raise InputError("privacy.matrix", "null", "privacy=lower_triangular needs the matrix", remedy)
        if not Path(privacy["matrix"]).expanduser().is_file():
            raise InputError("privacy.matrix", privacy["matrix"], "there is no such file", remedy)
    if privacy["name"] in {"vector_release", *_DIRECTED}:
        for key, plain in (("wave", 1), ("permutations", "plain")):
            if valuation.get(key, plain) != plain:
                told = f"privacy={privacy['name']} makes one release and walks no private permutation"
                raise InputError(f"valuation.{key}", valuation[key], told, f"use valuation.{key}={plain}")


def _check_utility(config: Config) -> None:
    dataset, utility = config["dataset"], config["valuation"].get("utility")
    if utility == "accuracy" and dataset.get("kind") == "regression":
        told = f"counts right classes and dataset={dataset['name']} is a regression dataset"
        raise InputError("valuation.utility", utility, told, "use valuation.utility=negative_loss")
    used = {config["privacy"]["name"], *(config["task"].get("mechanisms") or ())}
    if utility == "accuracy" and "directed_subspace" in used:
        told = "has no gradient, along which privacy=directed_subspace could project"
        raise InputError("valuation.utility", utility, told, "use privacy=directed, or valuation.utility=negative_loss")
