"""Values that are made to be published."""

from __future__ import annotations

from dataclasses import dataclass, replace

from assay.data import PreparedData
from assay.errors import InputError
from assay.learning.models import ModelSpec
from assay.privacy.rows.spec import PrivacySpec
from assay.valuation.gradient.semivalue import GradientSemivalue
from assay.valuation.gradient.statement import statement_of
from assay.valuation.valuator import Surroundings, Valuation


@dataclass(frozen=True)
class PrivateSemivalue(GradientSemivalue):
    """A gradient semivalue under a privacy mechanism, with a statement of what its publication means.

    Tasks keep back whatever would stand beside the values without privacy. Raises InputError without a mechanism.
    """

    name: str = "private_semivalue"

    def valuate(
        self, data: PreparedData, model: ModelSpec, privacy: PrivacySpec, surroundings: Surroundings
    ) -> Valuation:
        """As GradientSemivalue, with a statement."""
        if not privacy.mechanism.private:
            remedy = "use privacy=directed, or valuation=gradient_semivalue"
            raise InputError("privacy", privacy.name, "values for publication need a privacy mechanism", remedy)
        found = super().valuate(data, model, privacy, surroundings)
        return replace(found, statement=statement_of(found, data, privacy, utility=self.utility))
