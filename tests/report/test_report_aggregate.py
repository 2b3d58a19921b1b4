"""Seeds are put together, and nothing else is."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from scipy import stats

from assay.report.aggregate import (
    differing_settings,
    group_by_seed,
    in_order,
    interval_over_seeds,
    metrics_over_seeds,
    table_over_seeds,
)
from assay.report.reading import read_run
from assay.report.summary import brief, summary_table

QUICKSTART = ["contender", "evaluations", "estimation_uncertainty", "spearman", "auc", "epsilon", "seconds"]


def groups_of(*directories: Any) -> Any:
    return group_by_seed(read_run(directory) for directory in directories)


def test_groups_differ_in_more_than_seed(make_run: Any) -> None:
    groups = groups_of(make_run(1), make_run(0), make_run(0, privacy__epsilon=1.0), make_run(2))
    assert [group.seeds for group in groups] == [(0, 1, 2), (0,)]
    assert differing_settings(groups) == [{"privacy.epsilon": 8.0}, {"privacy.epsilon": 1.0}]


def test_what_cannot_change_a_number_does_not_split_a_group(make_run: Any) -> None:
    groups = groups_of(make_run(0, workers=2, logger__name="csv"), make_run(1, paths__outputs="/elsewhere"))
    assert [group.seeds for group in groups] == [(0, 1)]
    assert differing_settings(groups) == [{}]


def test_the_same_data_elsewhere_is_one_group(make_run: Any) -> None:
    same = groups_of(make_run(0, dataset__path="a.csv"), make_run(1, dataset__path="b.csv"))
    assert [group.seeds for group in same] == [(0, 1)]
    other = make_run(2, dataset__path="c.csv", status={"data": {"sha256": "cd" * 32}})
    assert len(groups_of(make_run(3, dataset__path="c.csv"), other)) == 2


def test_runs_of_several_codes_are_groups_that_differ_in_their_code(make_run: Any) -> None:
    groups = groups_of(*(make_run(seed, status={"sources": code * 8}) for seed, code in enumerate("aab")))
    assert [group.seeds for group in groups] == [(0, 1), (2,)]
    assert differing_settings(groups) == [{"sources": "a" * 8}, {"sources": "b" * 8}]


def test_of_a_seed_the_newest_run_counts(make_run: Any, tmp_path: Path) -> None:
    old = make_run(0, metrics={"m": 1.0}, status={"finished": "2026-01-01T00:00:00.000+00:00"}, root=tmp_path / "a")
    new = make_run(0, metrics={"m": 2.0}, status={"finished": "2026-01-02T00:00:00.000+00:00"}, root=tmp_path / "b")
    for order in ((old, new), (new, old)):
        (group,) = groups_of(*order)
        assert group.runs[0].metrics["m"] == 2.0


def test_option_names_stand_for_what_comes_with_them(make_run: Any) -> None:
    smoke = make_run(0, scale="smoke", seeds=2, task__evaluations=[4, 8])
    assert differing_settings(groups_of(smoke, make_run(0))) == [{"scale": "smoke"}, {"scale": "laptop"}]


def test_beside_option_names_only_what_they_do_not_say(make_run: Any) -> None:
    sizes = {"smoke": [4, 8], "laptop": [10, 40]}
    runs = [
        make_run(0, scale=scale, task__evaluations=counts, privacy__epsilon=epsilon)
        for scale, counts in sizes.items()
        for epsilon in (1.0, 8.0)
    ]
    assert differing_settings(groups_of(*runs)) == [
        {"scale": name, "privacy.epsilon": epsilon} for name in ("smoke", "laptop") for epsilon in (1.0, 8.0)
    ]


def test_metrics_over_seeds_by_students_t(make_run: Any) -> None:
    samples = [0.1, 0.4, 0.2, 0.7]
    (group,) = groups_of(*(make_run(s, metrics={"m": v, f"only{s}": 1}) for s, v in enumerate(samples)))
    intervals = metrics_over_seeds(group)
    assert set(intervals) == {"m"}
    low, high = stats.t.interval(0.95, 3, loc=0.35, scale=stats.sem(samples))
    assert (intervals["m"].estimate, intervals["m"].low, intervals["m"].high) == pytest.approx((0.35, low, high))


@pytest.mark.parametrize(
    ("samples", "mean"), [([math.inf, math.inf], math.inf), ([math.inf], math.inf), ([1.0, math.inf], math.nan)]
)
def test_infinite_samples_have_no_bounds(samples: list[float], mean: float) -> None:
    intervals = interval_over_seeds(samples)
    assert intervals.estimate == mean or (math.isnan(mean) and math.isnan(intervals.estimate))
    assert math.isnan(intervals.low)
    assert math.isnan(intervals.high)


def test_samples_that_agree_have_no_width() -> None:
    """0.99 three times sums to something else than 2.97, and an interval of 1e-16 would straddle a bound of 0.99."""
    point = interval_over_seeds([0.99, 0.99, 0.99])
    assert (point.estimate, point.low, point.high) == (0.99, 0.99, 0.99)
    assert math.isnan(interval_over_seeds([0.99]).low)


def test_one_seed_keeps_the_bounds_of_the_run(make_run: Any) -> None:
    (group,) = groups_of(make_run(0))
    table = table_over_seeds(group, "summary")
    assert table is not None
    assert (table["spearman_low"].unique(), table["spearman_high"].unique()) == (0.4, 0.6)


def test_table_over_seeds_row_by_row(make_run: Any) -> None:
    """estimation_uncertainty is 0.001 (k/10)^slope times 1, 1.1, 1.2 in the three seeds."""
    (group,) = groups_of(*(make_run(seed) for seed in range(3)))
    table = table_over_seeds(group, "summary")
    assert table is not None
    assert len(table) == 12
    row = table[(table.contender == "iid") & (table.evaluations == 160)].iloc[0]
    samples = [1e-3 * 16**0.8 * factor for factor in (1.0, 1.1, 1.2)]
    low, high = stats.t.interval(0.95, 2, loc=samples[1], scale=stats.sem(samples))
    assert row["estimation_uncertainty"] == pytest.approx(samples[1])
    assert (row["estimation_uncertainty_low"], row["estimation_uncertainty_high"]) == pytest.approx((low, high))
    assert "spearman_low_low" not in table
    assert math.isinf(table[table.contender == "none"]["epsilon"].iloc[0])


def test_rows_are_matched_by_key_and_not_by_place(make_run: Any) -> None:
    one = pd.DataFrame({"contender": ["a", "b"], "evaluations": [1, 1], "auc": [0.2, 0.8]})
    costs = pd.DataFrame({"contender": ["a", "b"], "evaluations": [1, 1], "seconds": [1.0, 3.0]})
    runs = [
        make_run(seed, tables={"summary": summary, "costs": costs[::order]})
        for seed, summary, order in ((0, one, 1), (1, one[::-1], -1))
    ]
    table = summary_table(groups_of(*runs))
    assert table is not None
    assert table[["contender", "auc", "seconds"]].values.tolist() == [["a", 0.2, 1.0], ["b", 0.8, 3.0]]


def test_tables_without_keys_are_matched_by_place(make_run: Any) -> None:
    runs = [make_run(s, tables={"curve": pd.DataFrame({"x": [0.0, 1.0], "y": [s + 1.0, 5.0]})}) for s in range(2)]
    (group,) = groups_of(*runs)
    table = table_over_seeds(group, "curve")
    assert table is not None
    assert table["y"].tolist() == [1.5, 5.0]
    assert "row" not in table


def test_a_count_that_differs_between_seeds_is_a_measure(make_run: Any) -> None:
    tables = [pd.DataFrame({"contender": ["a"], "model_fits": [count]}) for count in (10, 20)]
    (group,) = groups_of(*(make_run(seed, tables={"fits": table}) for seed, table in enumerate(tables)))
    table = table_over_seeds(group, "fits")
    assert table is not None
    assert table["model_fits"].tolist() == [15.0]


def test_summary_of_the_quickstart_has_exactly_its_columns(make_run: Any) -> None:
    groups = groups_of(make_run(0))
    full = summary_table(groups)
    assert full is not None
    assert list(brief(full, groups)) == QUICKSTART
    assert {"cpu_seconds", "spearman_low", "spearman_high", "auc_ceiling"} <= set(full)


def test_another_summary_keeps_its_measures(make_run: Any) -> None:
    table = pd.DataFrame({"learner": ["a"], "auc": [0.5], "auc_low": [0.4], "gain": [1.0], "cpu_seconds": [3.0]})
    groups = groups_of(make_run(0, tables={"summary": table}))
    full = summary_table(groups)
    assert full is not None
    assert list(brief(full, groups)) == ["learner", "auc", "gain", "cpu_seconds"]


def test_summary_of_several_configs_names_their_differences(make_run: Any) -> None:
    groups = groups_of(make_run(0), make_run(0, privacy__epsilon=1.0))
    full = summary_table(groups)
    assert full is not None
    assert list(brief(full, groups)) == ["privacy.epsilon", *QUICKSTART]
    assert len(full) == 24


def test_a_setting_does_not_overwrite_a_column(make_run: Any) -> None:
    table = pd.DataFrame({"name": ["x"], "auc": [0.5]})
    full = summary_table(groups_of(make_run(0, tables={"summary": table}), make_run(0, tables={}, name="b")))
    assert full is not None
    assert full["name"].tolist()[0] == "x"
    assert full["setting name"].tolist() == ["private_valuation/estimation_uncertainty", "b"]


def test_runs_without_a_whole_table_are_summed_up_by_the_metrics_of_their_headline(make_run: Any) -> None:
    runs = [make_run(seed, tables={}, privacy__epsilon=epsilon) for epsilon in (8.0, 1.0) for seed in (0, 1)]
    groups = in_order(groups_of(*runs))
    full = summary_table(groups)
    assert full is not None
    assert full["privacy.epsilon"].tolist() == ["1.0", "8.0"]  # by size, not as they came
    assert full["seeds"].tolist() == [2, 2]
    assert {"iid/slope", "iid/slope_low", "iid/slope_high"} <= set(full)
    assert list(brief(full, groups)) == ["privacy.epsilon", "seeds", *groups[0].headline.metrics]
