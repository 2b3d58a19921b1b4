"""Needs that several tasks have of the other choices of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from assay.data.owners import no_sources
from assay.errors import InputError

if TYPE_CHECKING:
    from assay.config.choices import Choices
    from assay.config.contenders import Contender


def check_test_split(run: Choices, remedy: str = "a share, or a number of rows") -> None:
    """Raises InputError for a dataset without test rows, on which the task scores."""
    split = getattr(run.dataset, "split", None)
    if split is not None and split.test == 0:
        raise InputError("dataset.split.test", "0", f"task={run.task.name} scores on the test split", remedy)


def check_trains(run: Choices) -> None:
    """Raises InputError for a model that is not trained by gradients."""
    if not run.model.trains:
        limit, remedy = "is not trained by gradients", f"use model=auto, mlp, cnn or module with task={run.task.name}"
        raise InputError("model", run.model.name, limit, remedy)


def check_fitted_whole(model: Any) -> None:
    """Raises InputError for a model that the task cannot refit on parts of the rows."""
    if not model.fitted_whole:
        limit = "is not among the models that are refitted whole"
        raise InputError("model", model.name, limit, "use model=mlp")


def check_laws(run: Choices) -> None:
    """Raises InputError for a valuation without laws, which the task reads."""
    if not hasattr(run.valuation, "laws"):
        limit = f"task={run.task.name} fits scaling laws and this does not"
        raise InputError("valuation", _name(run.valuation), limit, "use valuation=scaling_law, or leave it out")


def check_owned(run: Choices) -> None:
    """Raises InputError for rows that are known to have no owners."""
    if not run.dataset.owned:
        raise no_sources()


def check_damaged(run: Choices) -> None:
    """Raises InputError for rows that are known to be as they came, for a task that judges by finding the others."""
    corruption = run.dataset.corruption
    if not run.dataset.marked and not corruption.labels and not corruption.features:
        raise undamaged()


def undamaged() -> InputError:
    """The error for train rows of which none is corrupted."""
    limit = "no row of the train split is corrupted, and so there is none to find"
    return InputError("dataset.corruption", "none", limit, "e.g. dataset.corruption.labels=0.3")


def check_sources(run: Choices) -> None:
    """Raises InputError for rows without owners, a valuator that has no values of them, and a mechanism without an account."""
    for contender in run.contenders:
        valuator = of_sources(contender.valuation, run.task.level, run.task.name)
        if callable(getattr(valuator, "check", None)):
            valuator.check(run.of(contender))
    check_owned(run)


def of_sources(valuator: Any, level: str, task: str) -> Any:
    """The valuator of sources that is built from a valuator of rows; itself where its players are sources already.

    Raises InputError for a valuator of rows that has none.
    """
    if valuator.players == "sources":
        return valuator
    if not hasattr(valuator, "of_sources"):
        limit = f"values rows, and task={task} values sources"
        raise InputError("valuation", _name(valuator), limit, "use valuation=gradient_semivalue")
    return valuator.of_sources(level)


def of_clients(valuator: Any, task: str, **rounds: Any) -> Any:
    """The valuator of clients of federated rounds that is built from a valuator; InputError where it has none."""
    if not hasattr(valuator, "of_clients"):
        limit = f"is no training, and task={task} values the clients of one"
        raise InputError("valuation", _name(valuator), limit, "use valuation=gradient_semivalue")
    return valuator.of_clients(**rounds)


def contenders_of_sources(contenders: Sequence[Contender], level: str, task: str) -> list[Contender]:
    """The same contenders with valuators of sources; InputError as `of_sources`."""
    return [replace(each, valuation=of_sources(each.valuation, level, task)) for each in contenders]


def _name(valuator: Any) -> str:
    return str(getattr(valuator, "name", type(valuator).__name__))
