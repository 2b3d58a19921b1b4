"""task=membership: the game, the attack where its power is known, and the bound that privacy sets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tests.mechanisms import privacy_of

from assay.errors import InputError
from assay.privacy.ceilings import membership_ceiling, true_positive_ceiling
from assay.privacy.rows.gradients import RowGradients
from assay.runs import Outcome
from assay.tasks.membership import attack, draw_tables, seen_by

Answer = Callable[..., Outcome]
SMALL = (
    "experiment=private_valuation/membership",
    "dataset.split={train: 40, valid: 60, test: 20}",
    "task.rows=12",
    "task.targets=4",
    "task.tables=24",
    "valuation.evaluations=6",
)


@pytest.mark.parametrize("informed", [False, True])
def test_the_tables_of_the_game(informed: bool) -> None:
    targets = np.array([3, 17])
    tables = draw_tables(targets, 20, 6, 4, informed, np.random.default_rng(0))
    assert tables.rows.shape == (2 * 2 * 4, 6)
    assert (tables.rows[:, 0] == np.repeat(targets, 8)).all()
    assert all(len(set(row)) == 6 for row in tables.rows.tolist())
    assert tables.vanished.tolist() == [-1] * 4 + [3] * 4 + [-1] * 4 + [17] * 4
    different = {tuple(row) for row in tables.rows[:8].tolist()}
    assert len(different) == (1 if informed else 8)


def test_views_see_the_target_or_the_others() -> None:
    values = np.full((4, 5), np.nan)  # two targets with one table of three rows each way
    values[:, :3] = np.arange(12.0).reshape(4, 3)
    assert seen_by(values, np.array([0, 2]), "own").ravel().tolist() == [0.0, 3.0, 8.0, 11.0]
    assert seen_by(values, np.array([0, 2]), "others").ravel().tolist() == [3.0, 9.0, 13.0, 19.0]


def test_the_attack_on_gaussians_reaches_what_is_known() -> None:
    """Observations with means mu apart: the best AUC is Phi(mu / sqrt 2); without a difference the attack guesses."""
    noise = np.random.default_rng(0).normal(size=(30, 2, 400))
    for mu in (0.0, 1.0):
        aucs, rates = attack(noise + np.array([mu, 0.0])[None, :, None])
        # 24,000 scores: a standard error of about 0.003 for the AUC, and 1 % false positives are 120
        assert aucs.mean() == pytest.approx(membership_ceiling(mu), abs=0.015)
        assert rates.mean() == pytest.approx(true_positive_ceiling(mu, 0.01), abs=0.02)


def test_a_value_that_never_varies_gives_the_row_away() -> None:
    seen = np.stack([np.random.default_rng(0).normal(size=(3, 8)), np.zeros((3, 8))], axis=1)
    aucs, rates = attack(seen)
    assert aucs.tolist() == rates.tolist() == [1.0] * 3


def test_metrics_bounds_and_workers(answer: Answer) -> None:
    one, two = answer(*SMALL, folder="one"), answer(*SMALL, workers=2, folder="two")
    assert dict(one.metrics) == dict(two.metrics)
    mu = privacy_of("iid", epsilon=1.0).budget.mu
    assert one.metrics["iid/own/auc_ceiling"] == membership_ceiling(mu)
    assert one.metrics["iid/own/true_positive_rate_ceiling"] == true_positive_ceiling(mu, 0.01)
    assert one.metrics["none/own/auc"] == one.metrics["none/own/true_positive_rate"] == 1.0
    assert one.metrics["epsilon_per_estimate"] == pytest.approx(1.0, rel=1e-6)
    assert len(one.tables["targets"]) == 3 * 2 * 4


STRONG = ("task.informed=true", "task.contenders=[none,running_mean]", "task.tables=48")


def test_privacy_holds_against_an_attack_that_wins_without_it(answer: Answer) -> None:
    summary = answer(*SMALL, *STRONG).tables["summary"].set_index(["contender", "view"])
    assert summary.loc[("none", "others"), "auc"] > 0.8
    for view in ("own", "others"):
        row = summary.loc[("running_mean", view)]
        assert row["auc_low"] <= row["auc_ceiling"] < 0.58


def test_releases_with_too_little_noise_pass_the_bound(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken variant of the test above: noise at a fiftieth of its scale is caught."""
    original = RowGradients.noise_multipliers
    monkeypatch.setattr(RowGradients, "noise_multipliers", lambda self, releases: original(self, releases) / 50)
    monkeypatch.setattr("assay.privacy.ledger.Ledger.charge", lambda self, release: None)
    summary = answer(*SMALL, *STRONG).tables["summary"].set_index(["contender", "view"])
    assert summary.loc[("running_mean", "own"), "auc_low"] > summary.loc[("running_mean", "own"), "auc_ceiling"]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("task.rows=41", r"task\.rows=41: a table holds rows of the train split, which has 40"),
        ("task.targets=41", r"task\.targets=41: targets are rows of the train split"),
    ],
)
def test_games_that_the_train_split_is_too_small_for(answer: Answer, override: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        answer(*SMALL, override)
