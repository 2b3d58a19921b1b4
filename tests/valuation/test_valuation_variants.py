"""Other burn-ins from the same rounds, and replicates with tables of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.mechanisms import privacy_of

from assay.data import Arrays, PreparedData
from assay.learning.models.affine import Linear
from assay.learning.trainer import Trainer
from assay.privacy.option import Privacy
from assay.runs.parts import Parts
from assay.runs.streams import Streams
from assay.valuation.estimates import Estimates
from assay.valuation.gradient.estimates import Subtables
from assay.valuation.gradient.semivalue import GradientSemivalue
from assay.valuation.valuator import Problem, Run

Portion = Callable[..., PreparedData]
BURN_IN, NONE = privacy_of("running_mean_burn_in", burn_in=0.25), privacy_of("none")
LINEAR = Linear(intercept=False)


def value(data: PreparedData, privacy: Privacy, replicates: int = 3, **choices: object) -> Estimates:
    extra = {name: choices.pop(name) for name in ("burn_ins", "subtables") if name in choices}
    run = Run(Streams(0), Trainer(), Parts(choices.pop("folder", None)))  # type: ignore[arg-type]
    valuator = GradientSemivalue(**{"evaluations": 8, **choices})  # type: ignore[arg-type]
    return valuator.replicates(Problem(data, LINEAR, privacy), run, replicates, **extra)  # type: ignore[arg-type]


@pytest.mark.parametrize("semivalue", ["shapley", "banzhaf"])
def test_burn_ins_of_one_pass_are_those_of_passes_of_their_own(portion: Portion, semivalue: str) -> None:
    data, shares = portion("diabetes"), (0.0, 0.5, 0.9)
    estimates = value(data, BURN_IN, burn_ins=shares, semivalue=semivalue)
    assert estimates.values.tobytes() == value(data, BURN_IN, semivalue=semivalue).values.tobytes()
    for share, values in zip(shares, estimates.by_burn_in, strict=True):
        alone = value(data, replace(BURN_IN, burn_in=share), semivalue=semivalue)
        assert values.tobytes() == alone.values.tobytes()
    assert (estimates.touches == 8).all()  # one pass, and so one budget


def test_burn_ins_survive_a_resume(portion: Portion, tmp_path: Path) -> None:
    data = portion("diabetes")
    whole = value(data, BURN_IN, burn_ins=(0.0, 0.5), folder=tmp_path)
    again = value(data, BURN_IN, burn_ins=(0.0, 0.5), folder=tmp_path)  # nothing is left to do
    assert (tmp_path / "values.pt").is_file()
    assert whole.by_burn_in.tobytes() == again.by_burn_in.tobytes()


@pytest.mark.parametrize("privacy", [NONE, BURN_IN])
def test_a_subtable_is_valued_as_a_train_split_of_its_rows(portion: Portion, privacy: Privacy) -> None:
    data = portion("diabetes")
    rows = np.array([5, 3, 20, 11, 8])
    subtables = Subtables(np.tile(rows, (3, 1)), np.full(3, -1))
    values = value(data, privacy, subtables=subtables, semivalue="banzhaf").values
    small = replace(data, train=_rows(data.train, rows))
    np.testing.assert_allclose(values[:, rows], value(small, privacy, semivalue="banzhaf").values, rtol=1e-10)
    assert np.isnan(np.delete(values, rows, axis=1)).all()


@pytest.mark.parametrize("privacy", [NONE, BURN_IN])
def test_a_vanished_row_is_one_whose_gradient_is_zero(portion: Portion, privacy: Privacy) -> None:
    """A row of zeros has no gradient in a linear model without intercept; with noise it still publishes noise."""
    data = portion("diabetes")
    everyone = np.tile(np.arange(30), (3, 1))
    vanished = value(data, privacy, subtables=Subtables(everyone, np.array([7, -1, 7])))
    features = data.train.features.copy()
    features[7] = 0.0
    zeroed = value(replace(data, train=replace(data.train, features=features)), privacy)
    whole = value(data, privacy)
    np.testing.assert_allclose(vanished.values[[0, 2]], zeroed.values[[0, 2]], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(vanished.values[1], whole.values[1], rtol=1e-12)
    assert (vanished.values[[0, 2], 7] == 0).all() == (privacy is NONE)
    assert not np.allclose(vanished.values[0], whole.values[0])
    assert (vanished.touches == (0 if privacy is NONE else 8)).all()  # the slot is released all the same


def _rows(part: Arrays, rows: np.ndarray) -> Arrays:
    return Arrays(part.features[rows], part.target[rows], part.ids[rows], part.clean[rows])
