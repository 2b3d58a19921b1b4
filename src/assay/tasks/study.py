"""From a composed config to the objects that a task works with; below this line nobody sees the config."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol

from assay.data import PreparedData
from assay.errors import InputError
from assay.runs import Outcome, RunContext

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from assay.config import Choices
    from assay.learning.models import Model
    from assay.learning.trainer import Trainer
    from assay.privacy.option import Privacy
    from assay.valuation.gradient.semivalue import GradientSemivalue
    from assay.valuation.valuator import Problem, Run, Valuator


@dataclass(frozen=True, eq=False)
class Study:
    """Everything that a task may use: data, model, valuator, privacy, trainer, and the run's surroundings."""

    data: PreparedData
    model: Model
    valuator: Valuator
    privacy: Privacy
    trainer: Trainer
    context: RunContext

    @property
    def run(self) -> Run:
        """Streams, trainer and parts of the run."""
        from assay.valuation.valuator import Run

        return Run(self.context.streams, self.trainer, self.context.parts, self.context.progress)

    def problem(self) -> Problem:
        """The rows to be valued, with model and privacy; InputError when the privacy is that of a training."""
        from assay.valuation.valuator import Problem

        return Problem(self.data, self.model, self.row_privacy())

    def row_privacy(self) -> Privacy:
        """The privacy of a valuation; InputError when it is that of a training."""
        from assay.privacy.batch_sums import BatchSums

        if isinstance(self.privacy, BatchSums):
            remedy = "use privacy=iid, running_mean or running_mean_burn_in, or task=train"
            raise InputError("privacy", self.privacy.name, "is for training, not for values", remedy)
        return self.privacy


class Task(Protocol):
    """A question; `answer` is called once a run."""

    def answer(self, study: Study) -> Outcome:
        """Metrics, tables and figures."""
        ...


def gradient_valuator(study: Study, task: str) -> GradientSemivalue:
    """The valuator of a task that values by gradients; InputError when another was chosen."""
    from assay.valuation.gradient.semivalue import GradientSemivalue

    if not isinstance(study.valuator, GradientSemivalue):
        told = f"task={task} values along gradients and this does not"
        raise InputError("valuation", type(study.valuator).__name__, told, "use valuation=gradient_semivalue")
    return study.valuator


def clean_rows(study: Study) -> NDArray[np.bool_]:
    """Which train rows are as they came [n]; InputError when all are, for a task that judges by finding the others."""
    clean = study.data.train.clean
    if clean.all():
        told = "no row of the train split is corrupted, and so there is none to find"
        raise InputError("dataset.corruption", "none", told, "e.g. dataset.corruption.labels=0.3")
    return clean


def _leaf(choices: Choices, group: str) -> Any:
    """The option object of a group."""
    option = getattr(choices, group)
    if isinstance(option, SimpleNamespace):  # an option whose class is not its schema yet
        from hydra.utils import instantiate

        return instantiate(dict(choices.config[group]), _convert_="all")
    return option


def carry_out(choices: Choices, data: PreparedData, context: RunContext) -> Outcome:
    """Asks the task of checked choices."""
    leaves = {name: _leaf(choices, name) for name in ("model", "privacy", "trainer")}
    study = Study(data=data, valuator=_leaf(choices, "valuation"), context=context, **leaves)
    task: Task = _leaf(choices, "task")
    return task.answer(study)
