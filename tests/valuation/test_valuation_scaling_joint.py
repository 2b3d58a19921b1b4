"""Points picked for what they add together: against a greedy search by whole refits, and against picks one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from assay.data import PreparedData
from assay.errors import InputError
from assay.learning.models.affine import Logistic
from assay.learning.models.trees import XGBoost
from assay.runs import Streams
from assay.selection.marginal_picks import pick_jointly
from assay.valuation.contributions.setting import Labelled, Setting, setting_of
from assay.valuation.contributions.subsets import SubsetSampler

Portion = Callable[..., PreparedData]


@pytest.fixture
def setting(portion: Portion) -> Setting:
    data = portion("breast_cancer", train=240, valid=150, components=5, norm=2.0)
    return setting_of(data, np.arange(40), np.arange(40, 240), Logistic(), "negative_loss")


def utility(setting: Setting, rows: Labelled) -> float:
    model = LogisticRegression(C=1.0, tol=1e-8, max_iter=2000).fit(rows.features, rows.target)
    logs = model.predict_log_proba(setting.valid.features)
    return float(logs[np.arange(len(logs)), setting.valid.target.astype(int)].mean())


def joined(left: Labelled, right: Labelled) -> Labelled:
    return Labelled(np.concatenate([left.features, right.features]), np.concatenate([left.target, right.target]))


def test_each_pick_is_the_best_of_refits_that_have_the_picks_before(setting: Setting) -> None:
    picked = pick_jointly(setting, 60, 3, Streams(0), subsets=3, together=1)
    sampler = SubsetSampler(200, setting.pool.target.astype(np.int64), Streams(0), "joint-60")
    before: list[int] = []
    for number, pick in enumerate(picked):
        gains = np.zeros(40)
        for each in range(3):
            rows = setting.pool.take(sampler.subset(3 * number + each, 60))
            rows = joined(rows, setting.points.take(np.array(before, dtype=np.int64)))
            alone = utility(setting, rows)
            for point in range(40):
                gains[point] += utility(setting, joined(rows, setting.points.take(np.array([point])))) - alone
        gains[before] = -np.inf
        # the closed form may choose another among near equals, never one that is clearly worse
        assert gains[pick] >= gains.max() - 0.05 * (gains.max() - np.median(gains))
        before.append(int(pick))


def test_copies_of_the_best_point_are_not_picked_one_after_the_other(setting: Setting) -> None:
    best = pick_jointly(setting, 60, 1, Streams(0))
    copies = setting.points.take(np.concatenate([np.repeat(best, 30), np.arange(40)]))
    crowd = Setting(copies, setting.pool, setting.valid, "classification", 2, setting.model)
    together = pick_jointly(crowd, 60, 20, Streams(0), together=1)
    by_score = pick_jointly(crowd, 60, 20, Streams(0), together=20)
    assert (by_score < 30).sum() == 20  # scored once, they are all the best
    assert (together < 30).sum() < 15
    sampler = SubsetSampler(200, setting.pool.target.astype(np.int64), Streams(1), "judge")
    ahead = []
    for number in range(6):
        rows = setting.pool.take(sampler.subset(number, 60))
        ahead.append(
            utility(crowd, joined(rows, copies.take(together))) - utility(crowd, joined(rows, copies.take(by_score)))
        )
    assert min(ahead) > 0


def test_quotas_are_met_and_picks_repeat(setting: Setting) -> None:
    quotas = np.array([4, 6])
    picked = pick_jointly(setting, 60, 10, Streams(0), quotas)
    assert np.bincount(setting.points.target[picked].astype(int)).tolist() == [4, 6]
    assert len(set(picked.tolist())) == 10
    assert pick_jointly(setting, 60, 10, Streams(0), quotas).tolist() == picked.tolist()


def test_a_model_without_a_closed_form_and_too_many_picks_are_refused(setting: Setting) -> None:
    trees = Setting(setting.points, setting.pool, setting.valid, "classification", 2, XGBoost())
    with pytest.raises(InputError, match=r"task.joint=true"):
        pick_jointly(trees, 60, 3, Streams(0))
    with pytest.raises(InputError, match=r"task.add=41: there are 40 points"):
        pick_jointly(setting, 60, 41, Streams(0))
