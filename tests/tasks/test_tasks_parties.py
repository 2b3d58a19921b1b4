"""task=party_value and task=party_uncertainty: what they write, against definitions, for any number of workers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from assay.config.compose import compose
from assay.errors import AssayError
from assay.runs import Outcome
from assay.statistics import detection_auc

Answer = Callable[..., Outcome]
OWNED = (
    "dataset.split={train: 48, valid: 60, test: 20}",
    "dataset.sources.count=8",
    "dataset.corruption={labels: 0.5, sources: 0.25}",
)
SMALL = (
    "task=party_uncertainty",
    *OWNED,
    "task.evaluations=[4,8]",
    "task.replicates=5",
    "task.reference_evaluations=40",
)
PRIVATE = ("privacy=running_mean_burn_in", "privacy.epsilon=3", "privacy.burn_in=0.5")


def test_every_party_has_a_value_with_an_error(answer: Answer) -> None:
    outcome = answer("task=party_value", *OWNED, *PRIVATE, "valuation.evaluations=6", "dataset=breast_cancer")
    table = outcome.tables["parties"]
    columns = ["source", "rows", "value", "std_error", "ci_low", "ci_high", "evaluations", "clean_share"]
    assert list(table.columns) == columns
    assert table["source"].tolist() == list(range(8))
    assert (table["rows"] == 6).all()
    assert sorted(table["clean_share"]) == [0.5, 0.5, *[1.0] * 6]
    assert np.isfinite(table[["value", "std_error"]]).all(axis=None)
    assert outcome.metrics["epsilon"] == pytest.approx(3.0, rel=1e-6)
    assert outcome.metrics["auc"] == detection_auc(table["value"], table["clean_share"] == 1)
    assert outcome.files["values.csv"] is table
    entries = outcome.ledger
    assert entries[-1]["most_per_party"] == 6
    assert entries[-1]["epsilon"] == outcome.metrics["epsilon"]


def test_without_privacy_and_corruption_less_is_said(answer: Answer) -> None:
    outcome = answer("task=party_value", OWNED[0], OWNED[1], "valuation.evaluations=3", "dataset=diabetes")
    assert "clean_share" not in outcome.tables["parties"]
    assert not {"auc", "clean_share_spearman", "epsilon"} & set(outcome.metrics)


def test_the_comparison_says_how_each_mechanism_does(answer: Answer) -> None:
    outcome = answer(*SMALL, *PRIVATE, "dataset=diabetes")
    summary = outcome.tables["summary"].set_index(["contender", "evaluations"])
    assert len(summary) == 8
    assert (summary.loc["iid", "touches_least"] == [4, 8]).all()
    assert (summary["spearman_low"] <= summary["spearman"]).all()
    for name in ("none", "iid", "running_mean", "running_mean_burn_in"):
        assert outcome.metrics[f"{name}/8/auc"] == summary.loc[(name, 8), "auc"]
        assert f"{name}/slope" in outcome.metrics
    gain = outcome.metrics["running_mean/8/spearman_gain"]
    assert gain == pytest.approx(outcome.metrics["running_mean/8/spearman"] - outcome.metrics["iid/8/spearman"])
    assert outcome.metrics["running_mean/8/spearman_gain_low"] <= gain
    assert outcome.metrics["epsilon_per_estimate"] <= 3.0
    assert len(outcome.tables["parties"]) == 4 * 8


@pytest.mark.slow
def test_workers_do_not_change_the_bytes(answer: Answer) -> None:
    one = answer(*SMALL, *PRIVATE, "dataset=diabetes", folder="one")
    two = answer(*SMALL, *PRIVATE, "dataset=diabetes", folder="two", workers=2)
    for name in ("summary", "slopes", "parties"):
        pd.testing.assert_frame_equal(one.tables[name], two.tables[name])


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        ("task=party_value dataset=wine", "dataset.sources.count=0: the rows have no sources to value"),
        (
            "dataset=wine dataset.corruption.sources=0.3",
            "dataset.corruption.sources=0.3: is where the wrong targets are",
        ),
        (
            "task=party_value valuation=semivalue",
            "valuation=semivalue: values rows, and task=party_value values sources",
        ),
        ("task=party_value privacy=white", "privacy=white: has no account of parties"),
        (
            "task=party_uncertainty privacy=iid task.contenders=[iid,white]",
            "privacy=white: has no account of parties",
        ),
        (
            "task=party_uncertainty task.contenders=[none] task.replicates=1",
            "task.replicates=1: must be >= 2 (a variance needs two)",
        ),
        (
            "task=party_value privacy=iid privacy.relation=add_remove",
            "privacy.relation=add_remove: a release of a row shows",
        ),
        ("task=party_value task.level=clients", "task.level=clients: must be one of record, client"),
    ],
)
def test_a_mistake_ends_in_one_line(answer: Answer, overrides: str, line: str) -> None:
    with pytest.raises(AssayError) as caught:
        answer(*overrides.split())
    assert str(caught.value).startswith(line)


def test_corruption_by_source_without_sources_is_refused(answer: Answer) -> None:
    compose(["dataset=diabetes", "dataset.corruption={labels: 0.3, sources: 0.5}"])
    with pytest.raises(AssayError, match="is a share of the sources and there are none"):
        answer("dataset=diabetes", "dataset.corruption={labels: 0.3, sources: 0.5}")
