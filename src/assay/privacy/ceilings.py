"""Upper bounds on the success of any reader of a private release."""

from __future__ import annotations

import math

from assay.privacy.relations import Relation


def detection_ceiling(mu: float, relation: Relation) -> float:
    """Upper bound on the ROC-AUC of label-noise detection from mu-GDP releases of each row.

    Exchanging a clean and a corrupted row takes the AUC A to 1 - A and changes two rows, so that the two releases are
    sqrt(2) M apart, with M = mu under replace-one and 2 mu under zero-out (there and back): A <= Phi(M / sqrt 2), for any
    table and any corruption, if rows are treated alike and the reader does not know beforehand which are corrupted. A mean
    AUC above it beyond sampling error means that the accounting is broken. [derived]
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


def membership_ceiling(mu: float) -> float:
    """Upper bound on the ROC-AUC of telling two neighbouring tables apart by a mu-GDP release: Phi(mu / sqrt 2).

    The trade-off curve of two unit-variance Gaussians mu apart bounds every test (Dong, Roth & Su 2019, Definition 4), and
    this is the area above it.
    """
    from scipy import stats

    return float(stats.norm.cdf(mu / 2**0.5))


def true_positive_ceiling(mu: float, false_positive_rate: float) -> float:
    """Largest true-positive rate of any test between neighbouring tables at a false-positive rate: Phi(Phi^-1(a) + mu)."""
    from scipy import stats

    return float(stats.norm.cdf(stats.norm.ppf(false_positive_rate) + mu))
