"""How well any reader of a private release can tell a corrupted row from a clean one."""

from __future__ import annotations

from assay.privacy.relations import Relation


def detection_ceiling(mu: float, relation: Relation) -> float:
    """Upper bound on the ROC-AUC of label-noise detection from mu-GDP releases of each row.

    A flip replaces the row, so zero-out releases (mu each way) are at most 2 mu apart: Phi(mu/sqrt 2) under replace-one,
    Phi(2 mu/sqrt 2) under zero-out. The hockey-stick divergence is jointly convex, so the bound holds for the AUC pooled
    over random flips. A mean AUC above it beyond sampling error means that the accounting is broken. [derived]
    """
    from scipy import stats

    reach = mu if relation is Relation.REPLACE_ONE else 2 * mu
    return float(stats.norm.cdf(reach / 2**0.5))
