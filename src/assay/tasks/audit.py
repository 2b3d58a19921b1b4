"""Can an attacker tell from a directed release whether a row was there, or what its target was?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from assay.config.limits import at_least
from assay.errors import InputError
from assay.privacy.releases import Releases
from assay.runs import Outcome

if TYPE_CHECKING:
    from assay.config.choices import Choices
    from assay.valuation.valuator import Problem, Run, Valuator


@dataclass(frozen=True)
class AuditRelease:
    """Attacks one row's release by an attacker who knows everything but the secret, with the clip and with it removed.

    membership: the row is there or not. attribute: its target is the true one or a wrong one. The attacked row is one of the
    train split, its features enlarged so that its value lies beyond the clip. Each world is released `trials` times; the
    attacker thresholds the released number, which is optimal at the clip. A proven epsilon above the bound means that the
    guarantee is broken: it must not happen with the clip, and must happen without it, or the attack is too weak to mean
    anything.
    """

    reads_test: ClassVar[bool] = False

    trials: Annotated[int, at_least(40, "a bound needs them, e.g. 40000")] = 40_000
    name: str = "audit"

    def check(self, run: Choices) -> None:
        """Raises InputError for a mechanism other than one number of a row along public trajectories."""
        if run.privacy.releases is not Releases.ROW_NUMBER or run.privacy.path is not None:
            limit = "attacks one number of a row along public trajectories"
            raise InputError("task", self.name, limit, "use privacy=directed or privacy=directed_gaussian")

    def answer(self, problem: Problem, valuator: Valuator, run: Run) -> Outcome:
        """Table `summary`, a line for each attack with and without the clip; the same as flat metrics."""
        from assay.tasks.release_attack import attacked

        return attacked(self.trials, problem, valuator, run)
