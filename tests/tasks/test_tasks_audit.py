"""task=audit: the directed release keeps its bound, and without its clip it does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from assay.runs import Outcome

Answer = Callable[..., Outcome]
SMALL = (
    "task=audit",
    "task.trials=4000",
    "dataset.split={train: 30, valid: 80, test: 20}",
    "dataset.preprocess.components=4",
)


@pytest.mark.parametrize("relation", ["zero_out", "replace_one"])
@pytest.mark.parametrize("dataset", ["diabetes", "breast_cancer"])
def test_the_clip_keeps_the_bound_and_nothing_else_does(answer: Answer, dataset: str, relation: str) -> None:
    outcome = answer(
        *SMALL, f"dataset={dataset}", "privacy=directed", "privacy.epsilon=1", f"privacy.relation={relation}"
    )
    metrics = outcome.metrics
    for attack in ("membership", "attribute"):
        assert metrics[f"{attack}/clipped/excess"] <= 0
        assert metrics[f"{attack}/unclipped/excess"] > 0
    assert metrics["attribute/clipped/proven_epsilon"] > 0.5  # an attack that finds nothing would keep any bound
    assert metrics["attribute/clipped/auc"] <= 0.881 + 0.02


def test_the_gaussian_release_is_audited_against_its_own_bound(answer: Answer) -> None:
    outcome = answer(*SMALL, "dataset=diabetes", "privacy=directed_gaussian", "privacy.epsilon=4")
    summary = outcome.tables["summary"].set_index(["attack", "clipped"])
    assert summary.loc[("attribute", True), "bound"] > 8
    assert (summary.xs(True, level="clipped")["excess"] <= 0).all()
    assert summary.loc[("membership", False), "excess"] > 0
