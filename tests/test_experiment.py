"""The charge made before a run starts covers what its ledger says at the end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import assay
from assay.config import Choices, compose
from assay.experiment import planned

SMALL = ["dataset=diabetes", "dataset.split={train: 12, valid: 40, test: 20}", "scale=smoke"]
PLANS = {
    "value": ["privacy=iid", "valuation.evaluations=3"],
    "label_noise": ["privacy=iid", "dataset.corruption.labels=0.4", "task.contenders=[none,iid,directed]"],
    "selection_curve": ["privacy=iid", "task.contenders=[none,iid]"],
    "membership": ["privacy=iid", "task.contenders=[none,iid]", "task.rows=5", "valuation.evaluations=2"],
    "party_value": ["privacy=iid", "dataset.sources.count=3", "valuation.evaluations=3"],
    "federated": ["privacy=iid", "dataset.sources.count=4", "task.fraction=0.5"],
}


def as_secure(choices: Choices) -> Choices:
    """The same choices with secure noise, which a rehearsal does without."""
    privacy = replace(choices.privacy, secure_noise=True)
    contenders = tuple(
        replace(each, privacy=replace(each.privacy, secure_noise=True)) if each.privacy.private else each
        for each in choices.contenders
    )
    task = replace(choices.task, contenders=contenders) if hasattr(choices.task, "contenders") else choices.task
    return replace(choices, privacy=privacy, task=task)


@pytest.mark.parametrize("task", PLANS)
def test_the_planned_charge_covers_the_ledger(task: str, tmp_path: Path) -> None:
    overrides = [f"task={task}", *SMALL, *PLANS[task]]
    ((table, (epsilon, delta)),) = planned(as_secure(compose(overrides))).items()
    status = assay.run(overrides, outputs=tmp_path).status
    assert table == (None, None)
    assert status["epsilon"] <= epsilon * (1 + 1e-9)
    assert status["delta"] <= delta * (1 + 1e-9)


def test_a_rehearsal_plans_no_charge() -> None:
    assert planned(compose(["task=value", "privacy=iid"])) == {}


def test_a_contender_is_charged_to_its_own_table() -> None:
    contenders = "task.contenders=[none,{own: {privacy: {option: iid, secure_noise: true, table: mine, total: 900}}}]"
    plans = planned(
        compose(["task=label_noise", "dataset=diabetes", "scale=smoke", "dataset.corruption.labels=0.3", contenders])
    )
    assert plans == {("mine", 900.0): pytest.approx((8.0 * 3 * 2, 1e-5 * 3 * 2))}
