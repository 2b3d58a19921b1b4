"""task=label_noise: its numbers against definitions, burn-ins from one pass, and the same bytes however it is carried out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from tests.mechanisms import privacy_of

from assay.config.contenders import Contender
from assay.data import PreparedData
from assay.errors import InputError
from assay.runs import Outcome
from assay.statistics import scaled_uncertainty
from assay.tasks.comparison import Measured, swept_cells
from assay.tasks.label_noise import _best_of_the_others, _contrasts
from assay.valuation.gradient.semivalue import GradientSemivalue

Answer = Callable[..., Outcome]
SMALL = (
    "experiment=private_valuation/label_noise",
    "dataset.split={train: 20, valid: 60, test: 20}",
    "task.replicates=6",
    "task.evaluations=[4,10]",
    "task.burn_ins=[0.0,0.5,0.9]",
    "task.reference_evaluations=60",
)


def test_tables_hold_the_definitions(answer: Answer, cells: dict[str, Measured]) -> None:
    data: list[PreparedData] = []
    outcome = answer(*SMALL, change=lambda prepared: data.append(prepared) or prepared)  # type: ignore[func-returns-value]
    corrupted, truth = ~data[0].train.clean, cells["reference-non_private"].values.mean(axis=0)
    late = cells["evaluations-10-running_mean_burn_in"]
    own, swept = late.values, late.by_burn_in
    summary = outcome.tables["summary"].set_index(["contender", "evaluations"])
    row = summary.loc[("running_mean_burn_in", 10)]
    assert row["auc"] == pytest.approx(np.mean([roc_auc_score(corrupted, -values) for values in own]))
    lowest = own.argsort(axis=1)[:, : corrupted.sum()]
    assert row["precision"] == pytest.approx(corrupted[lowest].mean())
    assert row["scaled_uncertainty"] == pytest.approx(scaled_uncertainty(own, truth))
    assert row["auc_low"] < row["auc"] < row["auc_high"]
    assert row["auc_ceiling"] == privacy_of("iid").detection_ceiling()
    assert summary.loc[("none", 4), "auc_ceiling"] == 1
    burn_in = outcome.tables["burn_in"].set_index(["contender", "evaluations", "burn_in"])
    assert {key[0] for key in burn_in.index} == {"running_mean_burn_in"}
    by_share = [np.mean([roc_auc_score(corrupted, -values) for values in each]) for each in swept]
    assert burn_in.loc[("running_mean_burn_in", 10), "auc"].tolist() == pytest.approx(by_share)
    metrics = outcome.metrics
    assert metrics["running_mean_burn_in/10/q0.9/auc"] == pytest.approx(by_share[2])
    assert metrics["running_mean_burn_in/10/auc_gain_q0.9"] == pytest.approx(by_share[2] - by_share[0])
    assert metrics["running_mean_burn_in/10/auc_drop"] == pytest.approx(by_share[1] - by_share[2])
    assert metrics["iid/auc_change"] == pytest.approx(metrics["iid/10/auc"] - metrics["iid/4/auc"])
    # without burn-in the mechanism is the running mean, and they share permutations and noise
    assert metrics["running_mean_burn_in/10/q0/auc"] == metrics["running_mean/10/auc"]
    assert set(outcome.figures) == {"detection", "burn_in"}


def test_one_or_two_workers_and_a_resumed_run_give_the_same_numbers(answer: Answer, tmp_path: Path) -> None:
    one, two = answer(*SMALL, folder="one"), answer(*SMALL, workers=2, folder="two")
    (tmp_path / "one" / "scratch" / "cells-3.npz").unlink()
    again = answer(*SMALL, folder="one")
    for name in ("summary", "burn_in", "contrasts"):
        assert one.tables[name].equals(two.tables[name])
        assert one.tables[name].equals(again.tables[name])
    assert dict(one.metrics) == dict(two.metrics) == dict(again.metrics)


@pytest.mark.parametrize("semivalue", ["banzhaf", "beta"])
def test_other_semivalues_are_compared_with_their_own_reference(answer: Answer, semivalue: str) -> None:
    short = (*SMALL[:2], "task.replicates=3", "task.evaluations=[4]", "task.reference_evaluations=60")
    outcome = answer(*short, f"valuation.semivalue={semivalue}", "valuation.alpha=4.0", "task.contenders=[none]")
    assert outcome.metrics["none/4/spearman"] > 0.7


def test_without_corruption_there_is_nothing_to_find(answer: Answer) -> None:
    with pytest.raises(InputError, match=r"dataset\.corruption=none: no row of the train split is corrupted"):
        answer(*SMALL, "dataset.corruption.labels=0.0")


def test_a_mechanism_of_one_release_is_measured_once() -> None:
    contenders = [
        Contender(name, GradientSemivalue(), privacy_of(name)) for name in ("iid", "directed", "vector_release")
    ]
    cells = swept_cells(contenders, [4, 8], 3, [0.0, 0.5])
    expected = [("iid", 4), ("iid", 8), ("directed", 1), ("vector_release", 8)]
    assert [(cell.contender.name, cell.evaluations) for cell in cells] == expected
    assert all(cell.burn_ins == () for cell in cells)


def test_the_best_share_is_not_chosen_by_what_it_is_judged_by() -> None:
    """Among shares that are all alike the best of the same replicates looks better than the first; that of the others not."""
    generator = np.random.default_rng(0)
    naive, honest = [], []
    for _ in range(400):
        aucs = generator.normal(size=(7, 8))
        naive.append(aucs[1:-1].mean(axis=1).max() - aucs[0].mean())
        honest.append((_best_of_the_others(aucs[1:-1]) - aucs[0]).mean())
    error = np.std(honest) / 400**0.5
    assert abs(np.mean(honest)) < 4.5 * error  # false alarm below 1e-5
    assert np.mean(naive) > 10 * error


def test_contrasts_are_paired_by_replicate() -> None:
    common = np.random.default_rng(0).normal(size=6)  # cancels in every difference
    aucs = np.array([0.5, 0.6, 0.7, 0.55])[:, None] + common
    contrasts = {row["contrast"]: row for row in _contrasts([0.0, 0.3, 0.9, 0.99], aucs)}
    estimates = {name: row["auc_difference"] for name, row in contrasts.items()}
    expected = {"gain_q0.3": 0.1, "gain_q0.9": 0.2, "gain_q0.99": 0.05, "drop": 0.15, "rise": 0.2, "fall": 0.15}
    assert estimates == pytest.approx(expected)
    assert contrasts["rise"]["auc_difference_high"] == pytest.approx(0.2)
