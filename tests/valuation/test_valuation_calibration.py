"""Calibration of released values: what it learns, what it reads, and what its intervals cover."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.mechanisms import privacy_of

from assay.data import PreparedData
from assay.learning.models import Shape
from assay.learning.models.affine import Logistic
from assay.learning.models.auto import Auto
from assay.learning.trainer import Trainer
from assay.privacy.rows.none import NoPrivacy
from assay.runs.streams import Streams
from assay.statistics import spearman
from assay.valuation.gradient.directed.calibration import LEVEL, calibrate
from assay.valuation.gradient.directed.stand_ins import SHARES, exact_values, stand_ins
from assay.valuation.gradient.estimates import rows_of
from assay.valuation.gradient.semivalue import GradientSemivalue
from assay.valuation.valuator import Problem, Run, Valuation

Portion = Callable[..., PreparedData]
SHAPE: dict[str, Any] = {"components": 5, "norm": 1.0}


def valued(data: PreparedData, name: str, **keys: Any) -> Valuation:
    privacy = privacy_of(name, **{"epsilon": 8.0, "paths": 6, **keys})
    return GradientSemivalue(learning_rate=0.5).valuate(Problem(data, Auto(), privacy), Run(Streams(0), Trainer()))


def test_a_line_is_learnt_and_intervals_cover_at_their_level() -> None:
    """tau = 2 + 3 y + noise whose spread grows with y: exchangeable stand-ins, so that new rows are covered at the level."""
    generator = np.random.default_rng(0)

    def drawn(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        y = generator.normal(size=shape)
        return y, 2 + 3 * y + (0.2 + np.abs(y)) * generator.normal(size=shape)

    known = calibrate(*drawn((12, 200)))
    assert known.slope == pytest.approx(3, abs=0.1)
    assert known.intercept == pytest.approx(2, abs=0.1)
    y, tau = drawn((20_000,))
    low, high = known.intervals(y)
    covered = ((low <= tau) & (tau <= high)).mean()
    assert LEVEL - 0.02 < covered < 0.96
    wide = np.abs(y) > 1
    assert (high - low)[wide].mean() > 1.5 * (high - low)[~wide].mean()


def test_stand_ins_that_differ_make_wide_intervals() -> None:
    """Each stand-in is shifted by another amount: a line through all is right in the mean and wrong for each."""
    generator = np.random.default_rng(1)
    y = generator.normal(size=(12, 100))
    alike = calibrate(y, y + 0.1 * generator.normal(size=y.shape))
    apart = calibrate(y, y + generator.normal(size=(12, 1)) + 0.1 * generator.normal(size=y.shape))
    width = [np.median(np.subtract(*each.intervals(y[0])[::-1])) for each in (alike, apart)]
    assert width[1] > 4 * width[0]


def test_values_keep_their_order_even_where_stand_ins_fall() -> None:
    y = np.random.default_rng(2).normal(size=(6, 50))
    known = calibrate(y, -y)
    assert known.slope > 0
    assert spearman(known.values(y[0]), y[0]) == pytest.approx(1)
    with pytest.raises(ValueError, match="needs two"):
        calibrate(y[:1], y[:1])


def test_few_pairs_promise_nothing() -> None:
    y = np.random.default_rng(3).normal(size=(2, 6))
    low, high = calibrate(y, y).intervals(y[0])
    assert np.isinf(low).all()
    assert np.isinf(high).all()


def test_stand_ins_are_halves_of_the_public_rows_with_every_share_of_wrong_targets(portion: Portion) -> None:
    public = rows_of(portion("breast_cancer", valid=120, **SHAPE).valid, torch.float64)
    tables = stand_ins(public, 400, 12, 2, np.random.default_rng(0))
    known = {tuple(row.tolist()): float(target) for row, target in zip(public.features, public.target, strict=True)}
    for number, table in enumerate(tables):
        rows = [tuple(row.tolist()) for row in table.rows.features]
        assert set(rows) <= set(known)
        assert not set(rows) & {tuple(row.tolist()) for row in table.public.features}
        wrong = np.mean([known[row] != float(target) for row, target in zip(rows, table.rows.target, strict=True)])
        assert wrong == pytest.approx(SHARES[number % len(SHARES)], abs=0.09)
    shares = [float(table.rows.target.mean()) for table in tables if table is not None]
    assert np.std(shares[1::2]) > np.std(shares[::2]) / 2


def test_exact_values_are_those_of_the_valuator(portion: Portion) -> None:
    """Two tables at once give what the non-private valuator gives for each alone, up to the draw of permutations."""
    data = portion("breast_cancer", train=25, valid=60, labels=0.2, **SHAPE)
    settings = GradientSemivalue(learning_rate=0.5, evaluations=400, wave=50)
    train, valid = rows_of(data.train, torch.float64), rows_of(data.valid, torch.float64)
    model = Logistic().replicated(Shape.of(data))
    start = torch.zeros(model.parameter_count, dtype=torch.float64)
    values, evaluations = exact_values(
        model, [train, train], valid, start, settings, Trainer(), np.random.default_rng(0)
    )
    reference = settings.replicates(Problem(data, Logistic(), NoPrivacy()), Run(Streams(1), Trainer()), 1).values[0]
    assert values.shape == (2, 25)
    assert evaluations == 48 * 2 * 26
    assert spearman(values, reference).min() > 0.92
    np.testing.assert_allclose(values.sum(axis=1), reference.sum(), rtol=0.05)
    assert not np.array_equal(values[0], values[1])


@pytest.mark.parametrize("name", ["directed", "directed_private_path"])
def test_the_calibration_reads_no_private_row(portion: Portion, name: str) -> None:
    """Along public paths another row's value and interval are the same, bit for bit, whatever a row holds; facts too."""
    data = portion("breast_cancer", train=40, valid=80, **SHAPE)
    features = data.train.features.copy()
    features[3] = -features[3]
    moved = replace(data, train=replace(data.train, features=features))
    before, after = (valued(each, name) for each in (data, moved))
    public = ("stand_ins", "stand_in_spearman", "stand_in_coverage", "widening", "slope", "noise_spearman", "clip")
    for fact in public:
        assert before.facts[f"release/{fact}"] == after.facts[f"release/{fact}"]
    if name == "directed":
        others = np.arange(40) != 3
        assert np.array_equal(before.values.value[others], after.values.value[others])
        assert before.values.prediction is not None
        assert after.values.prediction is not None
        assert np.array_equal(before.values.prediction[0][others], after.values.prediction[0][others])


def test_intervals_cover_the_exact_values_and_signs_are_right(portion: Portion) -> None:
    """Thirty per cent wrong targets, a private path at epsilon 8; the interval of the noise covers next to nothing."""
    data = portion("breast_cancer", train=100, valid=100, labels=0.3, **SHAPE)
    reference = GradientSemivalue(learning_rate=0.5, evaluations=400, wave=50)
    exact = reference.replicates(Problem(data, Auto(), NoPrivacy()), Run(Streams(1), Trainer()), 1).values[0]
    valuation = valued(data, "directed_private_path", paths=24)
    low, high = valuation.values.prediction or (np.empty(0), np.empty(0))
    assert ((low <= exact) & (exact <= high)).mean() > 0.8
    assert valuation.signs
    assert ((low > 0) & (exact < 0)).sum() + ((high < 0) & (exact > 0)).sum() <= 2
    assert float(spearman(valuation.values.value, exact)) > 0.9
    assert valuation.values.value.sum() == pytest.approx(valuation.facts["release/sum"], abs=1e-9)
    bare = valued(data, "directed_private_path", paths=24, stand_ins=0)
    half = bare.values.half_width
    assert half is not None
    assert (np.abs(bare.values.value - exact) <= half).mean() < 0.3
    assert not bare.signs
    error, raw = (abs(total - exact.sum()) for total in (valuation.facts["release/sum"], bare.values.value.sum()))
    assert error < raw


def test_public_rows_on_which_training_diverges_promise_nothing(portion: Portion) -> None:
    data = portion("diabetes", train=30, valid=60, components=5)
    wild = replace(data, valid=replace(data.valid, features=data.valid.features * 1e3))
    valuation = valued(wild, "directed")
    low, high = valuation.values.prediction or (np.empty(0), np.empty(0))
    assert valuation.facts["release/stand_ins"] < 6 or np.isinf(high - low).all() or (high - low).min() > 1e3
