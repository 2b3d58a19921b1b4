"""How well any reader of a private release can tell a corrupted row from a clean one."""

from __future__ import annotations

from assay.privacy.relations import Relation


def detection_ceiling(mu: float, relation: Relation) -> float:
    """Upper bound on the ROC-AUC of label-noise detection from mu-GDP releases of each row.

    Exchanging a clean and a corrupted row takes the AUC A to 1 - A and changes two rows, so that the two releases are
    sqrt(2) M apart, with M = mu under replace-one and 2 mu under zero-out (there and back): A <= Phi(M / sqrt 2), for any table
    and any corruption. A mean AUC above it beyond sampling error means that the accounting is broken. [derived]
    """
    from scipy import stats

    reach = mu if Relation(relation) is Relation.REPLACE_ONE else 2 * mu
    return float(stats.norm.cdf(reach / 2**0.5))
