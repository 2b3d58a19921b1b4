"""Bounds on every reader of a private release: each bound against the law that attains it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate
from tests.mechanisms import privacy_of

from assay.privacy.ceilings import (
    detection_ceiling,
    membership_ceiling,
    pure_detection_ceiling,
    true_positive_ceiling,
)
from assay.privacy.relations import Relation


def test_golden_ceilings() -> None:
    """Gaussian: mu = 0.268 and 1.666 at epsilon 1 and 8 (delta 1e-5); pure: e/(1 + e) and e^2/(1 + e^2)."""
    result = [
        privacy_of("iid", epsilon=e, relation=r).detection_ceiling()
        for e in (1.0, 8.0)
        for r in Relation
        if r != "add_remove"
    ]
    assert result == pytest.approx([0.648, 0.575, 0.991, 0.881], abs=5e-4)
    pure = [pure_detection_ceiling(1.0, relation) for relation in (Relation.REPLACE_ONE, Relation.ZERO_OUT)]
    assert pure == pytest.approx([0.7311, 0.8808], abs=5e-5)
    assert privacy_of("none").detection_ceiling() == 1.0
    # a pure law attains e^g / (1 + e^g); what is spent on a private path reveals nothing of two exchanged rows
    assert privacy_of("directed", epsilon=1.0).detection_ceiling() == pytest.approx(0.8808, abs=5e-5)
    path = privacy_of("directed_private_path", epsilon=2.0, path_share=0.5, path_from=0.0)
    assert path.detection_ceiling() == pytest.approx(0.8808, abs=5e-5)
    gaussian = [
        privacy_of(name, epsilon=1.0).detection_ceiling() for name in ("directed_gaussian", "directed_subspace")
    ]
    assert gaussian == pytest.approx([0.648, 0.648], abs=5e-4)


@given(st.floats(0.05, 6.0))
def test_randomised_response_attains_the_pure_ceiling(epsilon: float) -> None:
    """A corrupted row states its bit truly with probability p, a clean one its other bit: the AUC is p, ties counted half."""
    p = np.exp(epsilon) / (1 + np.exp(epsilon))
    auc = p * p + p * (1 - p)
    assert pure_detection_ceiling(epsilon, Relation.REPLACE_ONE) == pytest.approx(auc)


@given(st.floats(0.01, 4.0))
def test_the_membership_ceilings_are_the_roc_curve_of_two_gaussians(mu: float) -> None:
    area, _ = integrate.quad(lambda rate: true_positive_ceiling(mu, rate), 0, 1)
    assert membership_ceiling(mu) == pytest.approx(area, abs=1e-6)
    assert membership_ceiling(mu) <= detection_ceiling(mu, Relation.ZERO_OUT)  # there and back is further than there


def test_without_privacy_nothing_is_promised() -> None:
    assert membership_ceiling(float("inf")) == true_positive_ceiling(float("inf"), 0.01) == 1.0
    assert true_positive_ceiling(0.0, 0.01) == pytest.approx(0.01)
