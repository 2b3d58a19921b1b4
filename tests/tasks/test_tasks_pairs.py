"""Every pair of a shipped task and a shipped valuator: it runs at smoke scale, or it is refused in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import assay
from assay.config import compose, listing
from assay.errors import AssayError

NEEDS = {
    "train": ["model=mlp", "dataset=digits"],
    "audit": ["privacy=directed"],
    "training_audit": ["model=mlp", "dataset=digits", "privacy=white"],
    "law_theory": ["dataset=synthetic_regression", "model=linear"],
    "party_value": ["dataset.sources.count=4"],
    "party_uncertainty": ["dataset.sources.count=4", "privacy=running_mean"],
    "federated": ["dataset.sources.count=4", "privacy=running_mean"],
}
PUBLISHES = "makes values for publication and task={} is for research"
NO_LAWS = "task={} fits scaling laws and this does not"
NO_SOURCES = "values rows, and task={} values sources"
NO_ACCOUNT = "valuation={} accounts for no release of this kind"
REFUSED = {
    **{
        (task, valuation): NO_LAWS
        for task in ("law_estimators", "law_theory", "learning_curve", "point_addition", "scaling_law", "value_at")
        for valuation in ("gradient_semivalue", "semivalue")
    },
    **{
        (task, valuation): NO_SOURCES
        for task in ("party_uncertainty", "party_value")
        for valuation in ("scaling_law", "semivalue")
    },
    **{("federated", valuation): "is no training" for valuation in ("scaling_law", "semivalue")},
    **{
        ("membership", valuation): "releases nothing for a row that is not there"
        for valuation in ("scaling_law", "semivalue")
    },
    # refused for the private contenders of the default alone: the runs below have others
    **{
        (task, valuation): NO_ACCOUNT
        for task in ("audit", "estimation_uncertainty", "label_noise", "selection_curve")
        for valuation in ("scaling_law", "semivalue")
    },
    **{
        (task, "private_semivalue"): PUBLISHES
        for task, _ in listing.options("task")
        if task not in ("audit", "train", "training_audit", "value")
    },
    ("train", "private_semivalue"): "task=train accounts for batch_sum",
}
PAIRS = [(task, valuation) for task, _ in listing.options("task") for valuation, _ in listing.options("valuation")]
CONTENDERS = (
    "task.contenders=[none,iid,{refits: {valuation: {option: semivalue, evaluations: 2}}},"
    "{laws: {valuation: {option: scaling_law, smallest: 6, largest: 16, evaluations: 8}}}]"
)
SMALL = ["dataset=diabetes", "dataset.split={train: 24, valid: 60, test: 60}", "scale=smoke"]
PLANS = {
    "value semivalue": ["valuation=semivalue", "valuation.evaluations=2"],
    "value scaling_law": [
        "valuation=scaling_law",
        "valuation.smallest=6",
        "valuation.largest=16",
        "valuation.evaluations=8",
    ],
    "value private_semivalue": ["valuation=private_semivalue", "privacy.paths=2"],
    "label_noise all": ["privacy=iid", CONTENDERS, "dataset.corruption.labels=0.3"],
    "selection_curve all": ["privacy=iid", CONTENDERS],
    "estimation_uncertainty all": ["privacy=iid", CONTENDERS, "dataset.corruption.labels=0.3"],
    "membership gradient_semivalue": ["privacy=iid", "task.rows=6", "task.contenders=[none,iid]"],
    "party_value gradient_semivalue": ["privacy=iid", "dataset.sources.count=4"],
    "federated gradient_semivalue": ["privacy=iid", "dataset.sources.count=4", "task.fraction=0.5"],
}


@pytest.mark.parametrize(("task", "valuation"), PAIRS)
def test_a_pair_composes_or_is_refused_in_one_line(task: str, valuation: str) -> None:
    damaged = ["dataset.corruption.labels=0.3"] if task in ("estimation_uncertainty", "label_noise") else []
    owned = ["dataset.sources.count=4"] if task.startswith(("party", "federated")) else []
    overrides = ["scale=smoke", f"task={task}", *damaged, *owned, *NEEDS.get(task, []), f"valuation={valuation}"]
    reason = REFUSED.get((task, valuation))
    if reason is None:
        assert compose(overrides).option["valuation"] == valuation
        return
    with pytest.raises(AssayError) as caught:
        compose(overrides)
    name = valuation if reason == NO_ACCOUNT else task
    assert reason.format(name) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("plan", PLANS)
def test_a_pair_that_makes_sense_runs(plan: str, tmp_path: Path, capfd: Any) -> None:
    task = plan.split()[0]
    result = assay.run([f"task={task}", *SMALL, *PLANS[plan]], outputs=tmp_path)
    assert result.status["state"] == "finished"
    if plan.endswith("all"):
        names = {key.split("/")[0] for key in result.metrics}
        assert {"none", "iid", "refits", "laws"} <= names
