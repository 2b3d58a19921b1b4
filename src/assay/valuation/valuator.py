"""The interface of valuators, and the problem and run that they are asked with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Protocol

from assay.data import PreparedData
from assay.errors import InputError
from assay.learning.models import Model
from assay.learning.trainer import Trainer
from assay.privacy.option import Privacy
from assay.runs.parts import Parts
from assay.runs.progress import Progress
from assay.runs.streams import Streams
from assay.valuation.estimates import Estimates
from assay.valuation.values import Values


@dataclass(frozen=True, eq=False)
class Valuation:
    """Values with what they cost: epsilon (infinite without privacy), utility evaluations, model fits, the ledger's record.

    `facts` are further metrics that belong to the release; they reveal nothing that the release does not. A `statement`
    says that the values are to be published, and what that means: nothing without privacy may then stand beside them. With
    `signs` false the intervals cannot say of single values on which side of 0 they lie.
    """

    values: Values
    epsilon: float
    utility_evaluations: int
    model_fits: int = 0
    ledger: list[dict[str, Any]] = field(default_factory=list)
    facts: Mapping[str, float] = field(default_factory=dict)
    statement: tuple[str, ...] = ()
    signs: bool = True


@dataclass(frozen=True, eq=False)
class Problem:
    """Rows to be valued, the model that they are valued by, and the privacy.

    `neighbours(change=...)` prepares the same data with one private row changed; for audits alone.
    """

    data: PreparedData
    model: Model
    privacy: Privacy
    neighbours: Callable[..., PreparedData] | None = None


def refuse_privacy(problem: Problem) -> None:
    """Raises InputError with privacy, for a valuator that refits whole models."""
    if problem.privacy.private:
        remedy = "use valuation=gradient_semivalue, or privacy=none"
        raise InputError("privacy", problem.privacy.name, "a refit has no bounded sensitivity to add noise to", remedy)


def _silent(steps: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, eq=False)
class Run:
    """Random streams, trainer, the saved parts, and the progress of one run; in another process nothing is shown."""

    streams: Streams
    trainer: Trainer
    parts: Parts = field(default_factory=Parts)
    progress: Progress = field(default_factory=lambda: Progress(wanted=False))
    advance: Callable[[int], object] = _silent

    def __reduce__(self) -> tuple[type[Run], tuple[Streams, Trainer, Parts]]:
        return Run, (self.streams, self.trainer, self.parts)

    @contextmanager
    def showing(self, title: str, total: float | None) -> Iterator[Run]:
        """The same run with a progress bar of `total` steps, which its `advance` moves."""
        with self.progress.task(title, total) as bar:
            yield replace(self, advance=bar.advance)


class Valuator(Protocol):
    """Gives every row of the train split a value, or every source of its rows."""

    players: ClassVar[Literal["rows", "sources"]]

    def valuate(self, problem: Problem, run: Run) -> Valuation:
        """Values of the train split, judged on the valid split; the test split is not looked at."""
        ...


class Replicable(Valuator, Protocol):
    """Repeats its whole estimate, for a task that asks how estimates spread."""

    def replicates(self, problem: Problem, run: Run, count: int, *, purpose: str) -> Estimates:
        """Estimates [count, n] with fresh randomness each; `purpose` names the random streams."""
        ...
