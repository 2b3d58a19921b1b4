"""The contract of a valuator: repeatable, blind to the test split, fair to equal rows, and honest about its cost."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path

import numpy as np
import pytest
from valuing import (
    NULL,
    ROWS,
    TWINS,
    CountedLinear,
    bytes_of,
    data,
    pairs,
    plain,
    privacy_of,
    valuator_of,
    valued,
    with_test,
    with_train,
)

from assay.config.listing import options
from assay.learning.learners import Learner
from assay.privacy.releases import Releases
from assay.runs.parts import Parts
from contracts import option

PAIRS = [pytest.param(*pair, id="-".join(pair)) for pair in pairs()]
UNLIKELY = 6.0
"""Standard errors that two estimates of one value are apart once in 10^5 times, at 11 degrees of freedom."""


class KilledError(Exception):
    """The end of a process, as far as its work can see."""


@pytest.mark.parametrize(("valuation", "privacy"), PAIRS)
def test_every_row_has_a_value_in_the_order_of_the_rows(valuation: str, privacy: str) -> None:
    values = plain(valuation, privacy).values
    np.testing.assert_array_equal(values.ids, data().train.ids)
    assert values.value.shape == values.std_error.shape == values.evaluations.shape == (ROWS,)
    assert np.isfinite(values.value).all()
    assert len(np.unique(values.value)) > ROWS // 2
    assert (values.evaluations > 0).all()


@pytest.mark.parametrize(("valuation", "privacy"), PAIRS)
def test_the_test_split_is_not_read(valuation: str, privacy: str) -> None:
    assert np.isnan(data().test.features).all()
    assert bytes_of(valued(valuation, privacy, rows=with_test())) == bytes_of(plain(valuation, privacy))


@pytest.mark.parametrize(("valuation", "privacy"), PAIRS)
def test_two_workers_give_the_same_bytes(valuation: str, privacy: str, tmp_path: Path) -> None:
    parts = Parts(tmp_path, workers=2)
    assert bytes_of(valued(valuation, privacy, parts=parts)) == bytes_of(plain(valuation, privacy))


@pytest.mark.parametrize("steps", [1, 5])
@pytest.mark.parametrize(("valuation", "privacy"), PAIRS)
def test_a_killed_run_goes_on_to_the_same_bytes(valuation: str, privacy: str, steps: int, tmp_path: Path) -> None:
    calls = []

    def kill(done: int) -> None:
        calls.append(done)
        if len(calls) == steps:
            raise KilledError

    with contextlib.suppress(KilledError):
        valued(valuation, privacy, parts=Parts(tmp_path), advance=kill)
    resumed = valued(valuation, privacy, parts=Parts(tmp_path))
    assert bytes_of(resumed) == bytes_of(plain(valuation, privacy))
    assert resumed.ledger == plain(valuation, privacy).ledger


@pytest.mark.parametrize(("valuation", "privacy"), PAIRS)
def test_values_go_with_their_rows(valuation: str, privacy: str) -> None:
    order = np.random.default_rng(1).permutation(ROWS)
    moved = valued(valuation, privacy, rows=with_train(order)).values
    np.testing.assert_array_equal(moved.ids, data().train.ids[order])
    values, again = plain(valuation, privacy).values, valued(valuation, privacy, seed=1).values
    apart = np.sqrt(np.mean((values.value - again.value) ** 2))  # of two seeds: paths and noise differ
    error = np.hypot(apart, np.hypot(values.std_error, again.std_error))
    assert (np.abs(values.value - moved.value[moved.ids.argsort()]) <= UNLIKELY * error).all()


@pytest.mark.parametrize(("valuation", "privacy"), PAIRS)
def test_equal_rows_have_equal_values(valuation: str, privacy: str) -> None:
    values = plain(valuation, privacy).values
    one, other = TWINS
    error = math.hypot(values.std_error[one], values.std_error[other])
    assert abs(values.value[one] - values.value[other]) <= UNLIKELY * error


@pytest.mark.parametrize(("valuation", "privacy"), PAIRS)
def test_a_row_that_says_nothing_is_worth_nothing(valuation: str, privacy: str) -> None:
    values = plain(valuation, privacy).values
    assert abs(values.value[NULL]) <= UNLIKELY * values.std_error[NULL] + 1e-9


@pytest.mark.parametrize(("valuation", "privacy"), PAIRS)
def test_another_seed_gives_other_numbers(valuation: str, privacy: str) -> None:
    assert bytes_of(valued(valuation, privacy, seed=1)) != bytes_of(plain(valuation, privacy))


@pytest.mark.parametrize(("valuation", "privacy"), PAIRS)
def test_privacy_is_charged_to_a_ledger_within_the_budget(valuation: str, privacy: str) -> None:
    done, mechanism = plain(valuation, privacy), privacy_of(privacy)
    if mechanism.releases is None:
        assert done.ledger == []
        assert done.epsilon == math.inf
        return
    assert done.ledger
    assert 0 < done.epsilon <= mechanism.epsilon * (1 + 1e-9)
    for entry in done.ledger:
        assert {"epsilon", "delta", "relation", "noise"} <= set(entry)
        assert entry["noise"] == "seeded"
        assert 0 < entry["epsilon"] <= mechanism.epsilon * (1 + 1e-9)
        assert 0 <= entry["delta"] <= mechanism.delta


@pytest.mark.parametrize("valuation", sorted({valuation for valuation, privacy in pairs() if privacy == "none"}))
def test_evaluations_are_those_that_were_asked_for(valuation: str) -> None:
    assert (plain(valuation, "none").values.evaluations == valuator_of(valuation).evaluations).all()


@pytest.mark.parametrize("valuation", sorted({valuation for valuation, privacy in pairs() if privacy == "none"}))
def test_fits_are_those_that_were_made(valuation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    claimed = plain(valuation, "none")
    fits, fit = [], Learner.fit

    def counted(self: Learner, features: object, target: object, seed: int = 0) -> object:
        fits.append(len(target))  # type: ignore[arg-type]
        return fit(self, features, target, seed)  # type: ignore[arg-type]

    monkeypatch.setattr(Learner, "fit", counted)
    done = valued(valuation, "none", model=option("model", "linear"))
    assert done.model_fits == claimed.model_fits
    if fits:
        assert done.model_fits == len(fits)
    assert done.utility_evaluations >= done.model_fits


@pytest.mark.parametrize(("valuation", "privacy"), PAIRS)
def test_evaluations_of_the_utility_are_those_that_were_made(valuation: str, privacy: str) -> None:
    model = CountedLinear(intercept=False)
    done = valued(valuation, privacy, model=model, errors=False)
    if not model.counts:  # fitted whole
        return
    if privacy_of(privacy).releases is Releases.ROW_NUMBERS:  # outputs serve the basis and the utilities
        assert 0 < done.utility_evaluations <= sum(model.counts)
    else:
        assert done.utility_evaluations == sum(model.counts)


@pytest.mark.parametrize("name", [name for name, _ in options("valuation")])
def test_a_valuator_says_what_its_values_are_good_for(name: str) -> None:
    good_for = option("valuation", name).good_for
    assert len(good_for) > 30
    assert not good_for.endswith(".")  # a clause, which stands behind a colon
