"""Values that are made to be published."""

from __future__ import annotations

from dataclasses import dataclass, replace

from assay.errors import InputError
from assay.valuation.gradient.semivalue import GradientSemivalue
from assay.valuation.gradient.statement import statement_of
from assay.valuation.valuator import Problem, Run, Valuation


@dataclass(frozen=True)
class PrivateSemivalue(GradientSemivalue):
    """A gradient semivalue under a privacy mechanism, with a statement of what its publication means.

    Tasks keep back whatever would stand beside the values without privacy. Raises InputError without a mechanism.
    """

    name: str = "private_semivalue"

    def valuate(self, problem: Problem, run: Run) -> Valuation:
        """As GradientSemivalue, with a statement."""
        data, privacy = problem.data, problem.privacy
        if not privacy.mechanism.private:
            remedy = "use privacy=directed, or valuation=gradient_semivalue"
            raise InputError("privacy", privacy.name, "values for publication need a privacy mechanism", remedy)
        found = super().valuate(problem, run)
        return replace(found, statement=statement_of(found, data, privacy, utility=self.utility))
