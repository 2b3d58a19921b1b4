"""From checked choices to the objects that a task works with; below this line nobody sees the config."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from assay.runs import Outcome, RunContext
from assay.tasks.needs import undamaged

if TYPE_CHECKING:
    from assay.arrays import Flags
    from assay.config import Choices
    from assay.data import PreparedData
    from assay.valuation.valuator import Problem, Run


class Task(Protocol):
    """A question; `answer` is called once a run."""

    reads_test: ClassVar[bool]

    def answer(self, problem: Problem, valuator: Any, run: Run) -> Outcome:
        """Metrics, tables and figures."""
        ...


def clean_rows(data: PreparedData) -> Flags:
    """Flags of the train rows that are as they came [n].

    Raises InputError when all are, for a task that judges by finding the others.
    """
    clean = data.train.clean
    if clean.all():
        raise undamaged()
    return clean


def carry_out(choices: Choices, data: PreparedData, context: RunContext) -> Outcome:
    """Asks the task of checked choices."""
    from assay.data import prepare
    from assay.valuation.valuator import Problem, Run

    place = Path(choices.paths.data).expanduser()
    again = partial(prepare, choices.dataset, data_dir=place, generator=context.streams.generator, blind=True)
    problem = Problem(data, choices.model, choices.privacy, again)
    run = Run(context.streams, choices.trainer, context.parts, context.progress)
    task: Task = choices.task
    return task.answer(problem, choices.valuation, run)
