"""Values of parties on real data: against the rows' own where they are the same thing, budget, determinism, signal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.mechanisms import privacy_of

from assay.data import PreparedData
from assay.errors import InputError
from assay.learning.models.auto import Auto
from assay.learning.trainer import Trainer
from assay.privacy.option import Privacy
from assay.privacy.rows.parties import Level
from assay.runs.parts import Parts
from assay.runs.streams import Streams
from assay.statistics import detection_auc
from assay.valuation.estimates import Estimates
from assay.valuation.gradient.party_semivalue import PartySemivalue
from assay.valuation.gradient.semivalue import GradientSemivalue
from assay.valuation.valuator import Problem, Run

Portion = Callable[..., PreparedData]
NONE, TRAINER, AUTO = privacy_of("none"), Trainer(), Auto()


def owned(data: PreparedData, parties: int) -> PreparedData:
    """The rows dealt out in turn."""
    return replace(data, train=replace(data.train, source=np.arange(len(data.train)) % parties))


def value(data: PreparedData, privacy: Privacy = NONE, level: str = "record", **choices: object) -> Estimates:
    count = int(choices.pop("replicates", 2))  # type: ignore[call-overload]
    valuator = PartySemivalue(**{"evaluations": 6, "level": level, **choices})  # type: ignore[arg-type]
    return valuator.replicates(Problem(data, AUTO, privacy), Run(Streams(0), TRAINER), count, purpose="values")


@pytest.mark.parametrize("mechanism", ["none", "iid", "running_mean_burn_in"])
def test_parties_of_one_row_are_valued_as_the_rows_are(portion: Portion, mechanism: str) -> None:
    """The same permutations, the same noise: the pass over parties is a generalisation, to the last rounding."""
    data, privacy = portion("diabetes", train=12), privacy_of(mechanism, burn_in=0.5)
    rows = GradientSemivalue(evaluations=6).replicates(Problem(data, AUTO, privacy), Run(Streams(0), TRAINER), 2)
    parties = value(owned(data, 12), privacy)
    np.testing.assert_allclose(parties.values, rows.values, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(parties.touches, rows.touches)
    assert parties.epsilon == pytest.approx(rows.epsilon, rel=1e-9)


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("mechanism", ["iid", "running_mean", "running_mean_burn_in"])
@pytest.mark.parametrize("relation", ["zero_out", "replace_one"])
def test_every_party_is_touched_k_times_and_the_budget_is_spent(
    portion: Portion, mechanism: str, relation: str, level: str
) -> None:
    privacy = privacy_of(mechanism, epsilon=2.0, relation=relation, burn_in=0.5)
    estimates = value(owned(portion("diabetes"), 7), privacy, level)
    assert (estimates.touches == 6).all()
    assert estimates.epsilon == pytest.approx(2.0, rel=1e-6)
    assert estimates.epsilon <= 2.0
    assert [entry["releases"] for entry in estimates.entries] == [2 * 7 * t for t in range(1, 7)]
    assert {entry["level"] for entry in estimates.entries} == {level}
    assert estimates.ids.tolist() == list(range(7))


def test_protecting_a_whole_party_costs_more(portion: Portion) -> None:
    data, privacy = owned(portion("diabetes", components=5, norm=1.0), 5), privacy_of("iid", epsilon=2.0)
    spread = [value(data, privacy, level, replicates=12).values.var(axis=0).mean() for level in ("record", "client")]
    assert spread[1] > 5 * spread[0]  # six rows a party: 36 times the variance of the noise


@pytest.mark.parametrize("mechanism", ["iid", "running_mean_burn_in"])
def test_one_estimate_has_errors_and_resumes(portion: Portion, tmp_path: Path, mechanism: str) -> None:
    data = owned(portion("breast_cancer", components=4), 6)
    valuator = PartySemivalue(evaluations=8, bootstrap=6)
    privacy = privacy_of(mechanism, epsilon=2.0, burn_in=0.5)
    first = valuator.valuate(Problem(data, AUTO, privacy), Run(Streams(0), TRAINER, parts=Parts(folder=tmp_path)))
    again = valuator.valuate(Problem(data, AUTO, privacy), Run(Streams(0), TRAINER, parts=Parts(folder=tmp_path)))
    fresh = valuator.valuate(Problem(data, AUTO, privacy), Run(Streams(0), TRAINER))
    assert (first.values.std_error > 0).all()
    assert first.values.value.tobytes() == again.values.value.tobytes() == fresh.values.value.tobytes()
    assert first.ledger == again.ledger == fresh.ledger
    assert first.epsilon <= 2.0


def test_bootstrap_errors_of_unequal_parties_cover_the_spread(portion: Portion) -> None:
    """Mean variance by the bootstrap of one run against that over 40 runs, small party and large: above, by 3 at most."""
    data = portion("diabetes", train=44, components=5, norm=1.0)
    source = np.repeat(np.arange(8), [1, 1, 2, 2, 5, 9, 12, 12])
    data = replace(data, train=replace(data.train, source=source))
    privacy = privacy_of("running_mean_burn_in", epsilon=4.0, burn_in=0.3)
    valuator = PartySemivalue(evaluations=20, bootstrap=60, learning_rate=0.2)
    single = valuator.valuate(Problem(data, AUTO, privacy), Run(Streams(0), TRAINER))
    many = valuator.replicates(Problem(data, AUTO, privacy), Run(Streams(1), TRAINER), 40)
    for part in (slice(0, 4), slice(4, 8)):
        ratio = (single.values.std_error[part] ** 2).mean() / many.values.var(axis=0, ddof=1)[part].mean()
        assert 0.6 < ratio < 4


def test_bad_parties_have_low_values(portion: Portion) -> None:
    data = portion("breast_cancer", train=120, valid=150, components=5, norm=1.0)
    source = np.arange(120) % 12
    bad, target = source < 4, data.train.target.copy()
    target[bad] = 1 - target[bad]
    data = replace(data, train=replace(data.train, source=source, target=target))
    estimates = value(data, evaluations=20, replicates=1, learning_rate=0.5)
    assert detection_auc(estimates.values[0], np.arange(12) >= 4) > 0.95


def test_rows_without_sources_and_a_single_source_are_refused(portion: Portion) -> None:
    with pytest.raises(InputError, match=r"dataset.sources.count=0: the rows have no sources to value"):
        value(portion("diabetes"))
    with pytest.raises(InputError, match="one party has nobody to compare with"):
        value(owned(portion("diabetes"), 1))
