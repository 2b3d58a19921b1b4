"""The estimator for each kind of release."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from assay.errors import InputError
from assay.privacy.option import Privacy
from assay.privacy.releases import Releases
from assay.valuation.estimates import Estimates
from assay.valuation.gradient.directed.estimate import DirectedRelease
from assay.valuation.gradient.directed.subspace import SubspaceRelease
from assay.valuation.gradient.permutation_fit import PermutationFit
from assay.valuation.gradient.vector_release import VectorRelease
from assay.valuation.valuator import Valuation


class RowEstimator(Protocol):
    """Values of rows under one kind of release; a checkpoint file is saved to and resumed from where there is work to lose."""

    def estimates(self, checkpoint: Path | None = None) -> Estimates:
        """Values of all replicates."""
        ...

    def valuation(self, checkpoint: Path | None = None) -> Valuation:
        """The first replicate with standard errors."""
        ...


ESTIMATORS: dict[Releases | None, Callable[..., RowEstimator]] = {
    None: PermutationFit,
    Releases.ROW_GRADIENT: PermutationFit,
    Releases.ROW_VECTOR: VectorRelease,
    Releases.ROW_NUMBER: DirectedRelease,
    Releases.ROW_NUMBERS: SubspaceRelease,
}


def estimator_of(privacy: Privacy) -> Callable[..., RowEstimator]:
    """The estimator for a mechanism's releases, called with settings, problem, run, purpose and a number of replicates.

    Raises InputError where there is none.
    """
    if privacy.releases not in ESTIMATORS:
        limit = f"releases a {privacy.releases}, of which gradient values have no account"
        raise InputError("privacy", privacy.name, limit, "use privacy=iid, running_mean or directed")
    return ESTIMATORS[privacy.releases]
