"""Every scalar law by name."""

from __future__ import annotations

from collections.abc import Callable

from assay.privacy.budget import Budget
from assay.privacy.relations import Relation
from assay.privacy.scalar_laws.gaussian import GaussianLaw
from assay.privacy.scalar_laws.laplace import LaplaceLaw
from assay.privacy.scalar_laws.law import ScalarLaw
from assay.privacy.scalar_laws.piecewise import PiecewiseLaw
from assay.privacy.scalar_laws.randomized_response import RandomizedResponse

LAWS: dict[str, Callable[[Budget], ScalarLaw]] = {
    law.name: law.spending for law in (GaussianLaw, LaplaceLaw, RandomizedResponse, PiecewiseLaw)
}


def law_of(name: str, budget: Budget) -> ScalarLaw:
    """The law that spends the whole budget on one release; ValueError for an unknown name or for add-remove.

    Guarantee: the release of each row is (epsilon, delta)-DP under the budget's relation, with delta = 0 for all but the
    Gaussian law. Under zero-out at epsilon a changed record is protected at up to 2 epsilon only (`changed_record_epsilon`).
    """
    if budget.relation is Relation.ADD_REMOVE:
        raise ValueError("a release of a row shows that the row is there: use zero_out or replace_one")
    if name not in LAWS:
        raise ValueError(f"law={name}: must be one of {', '.join(LAWS)}")
    return LAWS[name](budget)
