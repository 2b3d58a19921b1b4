"""task=federated: what it writes, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from assay.errors import AssayError
from assay.runs import Outcome

Answer = Callable[..., Outcome]
SMALL = (
    "task=federated",
    "dataset.split={train: 48, valid: 60, test: 20}",
    "dataset.sources.count=8",
    "dataset.corruption={labels: 0.5, sources: 0.25}",
    "task.evaluations=[4,8]",
    "task.replicates=4",
    "task.fraction=0.5",
    "task.permutations=4",
)


def test_mechanisms_are_compared_on_clients_and_on_the_global_model(answer: Answer) -> None:
    outcome = answer(*SMALL, "dataset=breast_cancer", "privacy=running_mean", "privacy.epsilon=3")
    summary = outcome.tables["summary"]
    assert summary["contender"].tolist() == ["none", "none", "iid", "iid", "running_mean", "running_mean"]
    assert (summary.loc[summary["contender"] == "none", "spearman"] > 0.8).all()
    private = summary[summary["contender"] != "none"]
    assert (private["epsilon"] <= 3.0).all()
    assert private["touches_most"].max() == outcome.metrics["participations/most"]
    assert outcome.metrics["participations/mean"] == 8 * 4 / 8
    test = outcome.tables["test"].set_index("contender")
    assert (test.index == ["none", "iid", "running_mean"]).all()
    assert outcome.metrics["test/iid/accuracy"] == test.loc["iid", "accuracy"]
    assert (test["accuracy"] * 20 * 4 % 1 < 1e-9).all()  # counts of 20 rows over 4 replicates
    assert {"running_mean/8/auc_gain", "iid/slope", "epsilon_per_estimate"} <= set(outcome.metrics)
    assert len(outcome.tables["parties"]) == 3 * 8


def test_the_test_split_may_be_empty(answer: Answer) -> None:
    split = "dataset.split={train: 48, valid: 60, test: 0}"
    outcome = answer(*SMALL, split, "dataset=diabetes", "task.contenders=[none]", "privacy=none")
    assert outcome.tables["test"].empty
    assert np.isfinite(outcome.metrics["none/8/spearman"])


def test_contributions_without_any_chance_have_no_slope(answer: Answer) -> None:
    """Two clients a round have two orders, both taken: nothing is left to vary without noise."""
    outcome = answer(*SMALL, "dataset=diabetes", "task.contenders=[none]", "privacy=none", "task.fraction=0.25")
    assert outcome.metrics["none/8/estimation_uncertainty"] == 0
    assert "none/slope" not in outcome.metrics
    assert not outcome.figures


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (("task.participations=1",), "task.participations=1: 4 rounds of 4 need 2 participations of each of 8 clients"),
        (("task.fraction=0",), "task.fraction=0: must be above 0 and 1 at most"),
        (("task.sampling=coin",), "task.sampling=coin: must be one of fixed, poisson"),
        (("dataset.sources.count=0", "dataset.corruption.sources=null"), "dataset.sources.count=0: the rows have no"),
    ],
)
def test_a_mistake_ends_in_one_line(answer: Answer, overrides: tuple[str, ...], line: str) -> None:
    with pytest.raises(AssayError) as caught:
        answer(*SMALL, "dataset=diabetes", "privacy=running_mean", *overrides)
    assert str(caught.value).startswith(line)
