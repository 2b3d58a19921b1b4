"""Interval and rank statistics against scikit-learn, scipy and slow definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from sklearn.metrics import roc_auc_score

from assay.statistics import (
    bootstrap_indices,
    detection_auc,
    detection_precision,
    log_log_slope,
    mean_interval,
    percentile_interval,
    ranks,
    scaled_uncertainty,
    spearman,
)


def test_mean_interval_is_students() -> None:
    samples = np.array([1.0, 2.0, 4.0, 8.0])
    low, high = stats.t.interval(0.95, 3, loc=samples.mean(), scale=stats.sem(samples))
    interval = mean_interval(samples)
    assert (interval.estimate, interval.low, interval.high) == pytest.approx((3.75, low, high))


def test_one_sample_has_no_interval() -> None:
    interval = mean_interval([2.0])
    assert interval.estimate == 2.0
    assert np.isnan([interval.low, interval.high]).all()


@given(hnp.arrays(np.float64, (3, 8), elements=st.integers(-5, 5).map(float)))
def test_spearman_is_scipys_row_by_row(values: np.ndarray) -> None:
    reference = np.arange(8.0) ** 2
    for row, correlation in zip(values, spearman(values, reference), strict=True):
        if len(set(row)) == 1:
            assert correlation == 0
        else:
            assert correlation == pytest.approx(stats.spearmanr(row, reference)[0])


@given(hnp.arrays(np.float64, (2, 12), elements=st.integers(-4, 4).map(float)))
def test_detection_auc_is_scikit_learns(values: np.ndarray) -> None:
    clean = np.array([True] * 7 + [False] * 5)
    expected = [roc_auc_score(~clean, -row) for row in values]
    assert detection_auc(values, clean) == pytest.approx(expected)


def test_low_values_mean_corrupted() -> None:
    assert detection_auc(np.array([-1.0, 2.0, 3.0]), np.array([False, True, True])) == 1.0


@pytest.mark.parametrize("clean", [[True, True], [False, False]])
def test_detection_needs_both_kinds_of_rows(clean: list[bool]) -> None:
    with pytest.raises(ValueError, match="needs clean and corrupted rows"):
        detection_auc(np.array([0.0, 1.0]), clean)


def test_slope_of_a_power_law() -> None:
    k = [10, 40, 160]
    assert log_log_slope(k, np.array(k) ** 0.75) == pytest.approx(0.75)
    assert log_log_slope(k, np.stack([np.ones(3), np.array(k) ** -1.0])) == pytest.approx([0.0, -1.0])


def test_percentile_interval_and_bootstrap_rows() -> None:
    interval = percentile_interval(0.5, np.linspace(0, 1, 1001))
    assert (interval.low, interval.high) == pytest.approx((0.025, 0.975))
    rows = bootstrap_indices(5, 200, np.random.default_rng(0))
    assert rows.shape == (200, 5)
    assert set(rows.ravel()) == {0, 1, 2, 3, 4}


def test_no_bootstrap_draw_is_one_replicate_alone() -> None:
    rows = bootstrap_indices(2, 500, np.random.default_rng(0))
    assert all(len(set(row)) == 2 for row in rows)


def test_ties_share_their_rank() -> None:
    assert ranks([3.0, 1.0, 3.0]) == pytest.approx([2.5, 1.0, 2.5])


@given(hnp.arrays(np.float64, 9, elements=st.integers(-3, 3).map(float)), st.integers(1, 8))
def test_precision_is_the_mean_over_orders_of_ties(values: np.ndarray, corrupted: int) -> None:
    """Shuffling rows before a stable sort breaks ties at random; the slow definition is the mean over 600 shuffles."""
    clean = np.arange(9) >= corrupted
    generator, shares = np.random.default_rng(0), []
    for _ in range(600):
        order = generator.permutation(9)
        lowest = order[values[order].argsort(kind="stable")[:corrupted]]
        shares.append((~clean[lowest]).mean())
    assert detection_precision(values, clean) == pytest.approx(np.mean(shares), abs=5 * 0.5 / 600**0.5)


def test_precision_without_ties() -> None:
    values = np.array([[3.0, 1.0, 2.0, 5.0, 4.0], [1.0, 2.0, 5.0, 3.0, 4.0]])
    assert detection_precision(values, [False, False, True, True, True]).tolist() == [0.5, 1.0]
    with pytest.raises(ValueError, match="needs a corrupted row"):
        detection_precision(values, np.ones(5))


def test_scaled_uncertainty_is_blind_to_scale_and_shift() -> None:
    generator = np.random.default_rng(0)
    truth = generator.normal(size=40)
    values = truth + generator.normal(size=(30, 40)) * 0.5
    slope = np.polyfit(truth, values.mean(axis=0), 1)[0]
    expected = values.var(axis=0, ddof=1).mean() / (slope**2 * truth.var(ddof=1))
    assert scaled_uncertainty(values, truth) == pytest.approx(expected)
    assert scaled_uncertainty(7 - values / 100, truth) == pytest.approx(expected)  # shrinking gains nothing
    assert scaled_uncertainty(values, truth) == pytest.approx(0.25 / truth.var(ddof=1), rel=0.2)
    assert scaled_uncertainty(np.array([[1.0, 2.0], [2.0, 1.0]]), [0.0, 1.0]) == np.inf
