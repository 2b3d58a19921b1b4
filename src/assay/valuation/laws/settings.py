"""Settings of scaling laws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from assay.config.limits import at_least
from assay.valuation.contributions.setting import ScalingUtility
from assay.valuation.contributions.solver import Level
from assay.valuation.laws.names import Density, LawName

if TYPE_CHECKING:
    from assay.valuation.contributions.subsets import Cardinalities


@dataclass(frozen=True)
class LawSettings:
    """Laws from `evaluations` random subsets of `smallest` to `largest` rows behind each row's law.

    The train rows are divided into `folds`; those of one join subsets of the others, so that no row joins itself. Subsets
    are `shared` by the rows of a fold (one fit serves all) or `fresh`, one for each row and sample, as in the paper's code.
    """

    estimator: LawName = "empirical_bayes"
    evaluations: Annotated[int, at_least(2, "a variance needs two")] = 100
    smallest: Annotated[int, at_least(1, "a whole number from 1 on")] = 100
    largest: Annotated[int, at_least(1, "a whole number from 1 on")] = 999
    density: Density = "log_uniform"
    subsets: Literal["shared", "fresh"] = "shared"
    level: Level = "exact"
    utility: ScalingUtility = "negative_loss"
    folds: Annotated[int, at_least(2, "a variance needs two")] = 4

    @property
    def cardinalities(self) -> Cardinalities:
        """The sizes of random subsets."""
        from assay.valuation.contributions.subsets import Cardinalities

        return Cardinalities(self.smallest, self.largest, self.density)
