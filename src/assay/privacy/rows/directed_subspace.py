"""privacy=directed_subspace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from assay.config.limits import at_least
from assay.errors import InputError
from assay.privacy.relations import Sensitivity
from assay.privacy.releases import Releases
from assay.privacy.rows.account import RowAccount
from assay.privacy.rows.numbers import AlongTrajectories

if TYPE_CHECKING:
    from assay.config.choices import Choices


@dataclass(frozen=True)
class DirectedSubspace(AlongTrajectories):
    """A few numbers of each row along gradients of the utility, released once: values for several utilities at one budget.

    Rows' mean gradients are projected on a public subspace of `dimensions` and clipped to an L2 norm of `clip`. [derived]
    """

    releases: ClassVar[Releases | None] = Releases.ROW_NUMBERS

    name: str = "directed_subspace"
    dimensions: Annotated[int, at_least(1, "a whole number from 1 on")] = 2

    def open_account(self, sensitivity: Sensitivity, rows: int, replicates: int = 1) -> RowAccount:
        """An empty account for a table of `rows` rows."""
        return RowAccount(self.budget, sensitivity, rows, replicates)

    def check(self, run: Choices) -> None:
        """Raises InputError for a utility without a gradient as well."""
        super().check(run)
        if getattr(run.valuation, "utility", None) == "accuracy":
            raise no_gradient(self.name, "accuracy")


def no_gradient(privacy: str, utility: str) -> InputError:
    """The refusal of a utility without a gradient."""
    limit = f"has no gradient, along which privacy={privacy} could project"
    return InputError("valuation.utility", utility, limit, "use privacy=directed, or valuation.utility=negative_loss")
