"""Does what is published of a table keep its guarantee against an attacker who knows everything but the secret?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from assay.config.limits import at_least
from assay.errors import InputError
from assay.privacy.releases import Releases
from assay.runs import Outcome

if TYPE_CHECKING:
    from assay.config.choices import Choices
    from assay.privacy.option import Privacy
    from assay.valuation.valuator import Problem, Run, Valuator


@dataclass(frozen=True)
class AuditRelease:
    """Attacks the way from the cells of a table to its published values, and a row's release.

    pipeline: `rows` train rows are changed in the table, each in every way (no cells, a number far out, a word for a number,
    an unknown category, another target), and what is published is compared: it must be equal byte by byte, but for numbers
    computed from noised releases. `releases` publications of one row as it is and changed must prove no epsilon above the
    bound of a changed record.
    membership: the row is there or not. attribute: its target is the true one or a wrong one. Both need a mechanism that
    releases one number of a row along public trajectories. The attacked row is one of the train split, its features
    enlarged so that its value lies beyond the clip. Each world is released `trials` times; the attacker thresholds the
    released number, which is optimal at the clip. A proven epsilon above the bound means that the guarantee is broken: it
    must not happen with the clip, and must happen without it, or the attack is too weak to mean anything.
    """

    reads_test: ClassVar[bool] = False
    publishes: ClassVar[bool] = True  # a rehearsal of it, of which nothing leaves the audit
    estimates: ClassVar[int] = 0  # none with noise that nobody can draw again

    trials: Annotated[int, at_least(40, "a bound needs them, e.g. 40000")] = 40_000
    rows: Annotated[int, at_least(1, "e.g. 3")] = 3
    releases: Annotated[int, at_least(40, "a bound needs them, e.g. 200")] = 200
    name: str = "audit"

    def check(self, run: Choices) -> None:
        """Raises InputError without a mechanism, for noise that counts as a release, and for targets damaged on purpose."""
        if not run.privacy.private:
            limit = f"task={self.name} attacks a private release"
            raise InputError("privacy", run.privacy.name, limit, "e.g. privacy=directed valuation=private_semivalue")
        if run.privacy.secure_noise:
            limit = f"task={self.name} is a rehearsal and would spend the budget many times"
            raise InputError("privacy.secure_noise", "true", limit, "leave it out")
        if run.dataset.corruption.labels:
            limit = "moves targets from row to row, and the guarantee is for the table after it"
            raise InputError("dataset.corruption.labels", f"{run.dataset.corruption.labels:g}", limit, "leave it at 0")

    def answer(self, problem: Problem, valuator: Valuator, run: Run) -> Outcome:
        """Table `summary`, a line for each attack; table `pipeline`, one for each neighbour; the same as flat metrics."""
        import pandas as pd

        from assay.tasks.headlines import of_attacks
        from assay.tasks.pipeline_audit import PipelineAudit, pipeline_metrics
        from assay.tasks.release_attack import attacks, ledger_of, metrics_of

        audit = PipelineAudit(problem, valuator, run, self.rows, self.releases)
        neighbours = audit.comparisons()
        bounds = audit.bounds(int(neighbours["id"].iloc[0]))
        lines: list[dict[str, Any]] = []
        metrics: dict[str, float] = {"epsilon": problem.privacy.epsilon}  # type: ignore[attr-defined]
        if _one_number(problem.privacy):
            lines, facts = attacks(self.trials, problem, valuator, run)
            metrics |= facts | metrics_of(lines)
        summary = pd.DataFrame([*lines, *bounds])
        metrics |= pipeline_metrics(neighbours, bounds)
        return Outcome(
            metrics,
            {"summary": summary, "pipeline": neighbours},
            headline=of_attacks(summary, neighbours, metrics),
            ledger=ledger_of(problem.privacy),
            facts={"release": "an attack on itself, for research"},
        )


def _one_number(privacy: Privacy) -> bool:
    """True for one number of a row along public trajectories, which the attacks on a release are for."""
    return privacy.releases is Releases.ROW_NUMBER and getattr(privacy, "path", None) is None
