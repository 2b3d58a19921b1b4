"""valuation=private_semivalue."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assay.errors import InputError
from assay.privacy.option import Budgeted, Privacy
from assay.valuation.gradient.semivalue import GradientSemivalue

if TYPE_CHECKING:
    from assay.config.choices import Choices
    from assay.valuation.valuator import Problem, Run, Valuation


@dataclass(frozen=True)
class PrivateSemivalue(GradientSemivalue):
    """A gradient semivalue for publication: under a privacy mechanism, with a statement of what the publication means."""

    name: str = "private_semivalue"

    def valuate(self, problem: Problem, run: Run) -> Valuation:
        """As GradientSemivalue, with a statement; InputError without a mechanism."""
        from assay.valuation.gradient.statement import statement_of

        if not isinstance(problem.privacy, Budgeted):
            raise _unprotected(problem.privacy)
        valuation = super().valuate(problem, run)
        return replace(
            valuation, statement=statement_of(valuation, problem.data, problem.privacy, utility=self.utility)
        )

    def check(self, run: Choices) -> None:
        """Raises InputError without a mechanism, and for a task that publishes nothing, as well."""
        super().check(run)
        if not run.privacy.private:
            raise _unprotected(run.privacy)
        if not getattr(run.task, "publishes", False):
            limit = f"makes values for publication and task={run.task.name} is for research"
            raise InputError("valuation", self.name, limit, "use task=value, or valuation=gradient_semivalue")


def _unprotected(privacy: Privacy) -> InputError:
    limit = "values for publication need a privacy mechanism"
    return InputError("privacy", privacy.name, limit, "use privacy=directed, or valuation=gradient_semivalue")
