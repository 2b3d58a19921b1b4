"""How well any reader of a private release can tell a corrupted row from a clean one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from assay.privacy.relations import Relation

if TYPE_CHECKING:
    from assay.privacy.spec import PrivacySpec


def detection_ceiling(mu: float, relation: Relation) -> float:
    """Upper bound on the ROC-AUC of label-noise detection from mu-GDP releases of each row.

    Exchanging a clean and a corrupted row takes the AUC A to 1 - A and changes two rows, so that the two releases are
    sqrt(2) M apart, with M = mu under replace-one and 2 mu under zero-out (there and back): A <= Phi(M / sqrt 2), for any table
    and any corruption. A mean AUC above it beyond sampling error means that the accounting is broken. [derived]
    """
    from scipy import stats

    reach = mu if Relation(relation) is Relation.REPLACE_ONE else 2 * mu
    return float(stats.norm.cdf(reach / 2**0.5))


def pure_detection_ceiling(epsilon: float, relation: Relation) -> float:
    """The same bound for pure epsilon-DP releases: e^g / (1 + e^g), with g = epsilon, or 2 epsilon under zero-out.

    A release of a corrupted row is at most e^g times as likely as that of a clean one, and an AUC from laws whose ratio lies
    within e^g is at most that of randomised response. [derived]
    """
    gap = epsilon if Relation(relation) is Relation.REPLACE_ONE else 2 * epsilon
    return 1 / (1 + math.exp(-gap))


def ceiling_of(privacy: PrivacySpec) -> float:
    """The bound for a privacy choice; 1 without privacy."""
    from assay.privacy.mechanisms import Mechanism

    relation, budget = Relation(privacy.relation), privacy.budget
    if not privacy.mechanism.private:
        return 1.0
    if privacy.mechanism is Mechanism.DIRECTED:
        return pure_detection_ceiling(privacy.epsilon, relation)
    if privacy.mechanism is Mechanism.DIRECTED_PRIVATE_PATH:  # a pure law beside a path that may fail with chance delta
        return min(
            1.0, pure_detection_ceiling(privacy.epsilon, relation) + 2 * privacy.delta * math.exp(privacy.epsilon)
        )
    return detection_ceiling(budget.mu, relation)
