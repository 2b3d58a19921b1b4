"""Synthetic data: rows of a known population, and when that population is still known after preprocessing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_helpers import settings
from numpy.testing import assert_allclose

from assay.data import prepare
from assay.data.loaders.synthetic import Drawn, SyntheticClassification, SyntheticRegression
from assay.data.population import Population
from assay.data.records import PreparedData

DRAWN = {"rows": 400, "dimension": 6, "noise": 0.1, "seed": 42}
PLAIN = {"standardize": False}


def prepared(tmp_path: Path, kind: str, seed: int = 0, **changes: Any) -> PreparedData:
    drawn = DRAWN | changes.pop("synthetic", {})
    return prepare(**settings(tmp_path, f"synthetic_{kind}", seed, synthetic=drawn, **{"preprocess": PLAIN, **changes}))


def test_the_population_has_unit_variance_and_says_how_it_draws() -> None:
    rng = np.random.default_rng(0)
    population = Population(np.array([0.6, 0.8]), 0.5, "regression")
    features, target = population.draw(40_000, rng)
    assert_allclose(np.cov(features.T), np.eye(2), atol=0.03)  # four standard errors
    assert_allclose((features @ population.coefficients).var(), 1.0, atol=0.03)
    residual = target - features @ population.coefficients
    assert_allclose(residual.std(), 0.5, atol=0.01)
    assert abs(np.corrcoef(residual, features[:, 0])[0, 1]) < 0.02


def test_classes_are_signs_and_some_are_exchanged() -> None:
    exact = Population(np.array([0.6, 0.8]), 0.0, "classification")
    features, target = exact.draw(1000, np.random.default_rng(0))
    assert (target == (features @ exact.coefficients > 0)).all()
    flipped = Population(exact.coefficients, 0.0, "classification", flips=0.2)
    features, target = flipped.draw(10_000, np.random.default_rng(0))
    share = (target != (features @ exact.coefficients > 0)).mean()
    assert share == pytest.approx(0.2, abs=0.016)  # four standard errors


def test_noise_makes_the_error_of_the_best_rule() -> None:
    # P(sign(s + noise) != sign(s)) = arctan(noise) / pi for a standard normal score s
    noisy = Population(np.array([1.0]), 1.0, "classification")
    features, target = noisy.draw(10_000, np.random.default_rng(0))
    assert (target != (features[:, 0] > 0)).mean() == pytest.approx(0.25, abs=0.018)


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_coefficients_depend_on_name_and_dimension_alone(kind: str) -> None:
    made = SyntheticClassification if kind == "classification" else SyntheticRegression
    drawn = type(made().synthetic)
    first = made(synthetic=drawn(**DRAWN)).population
    assert np.linalg.norm(first.coefficients) == pytest.approx(1.0, abs=1e-12)
    same = made(synthetic=drawn(**DRAWN | {"rows": 7, "seed": 1, "noise": 0.5})).population
    assert (same.coefficients == first.coefficients).all()
    other = made("another", synthetic=drawn(**DRAWN)).population
    assert not np.allclose(other.coefficients, first.coefficients)


def test_rows_depend_on_their_own_seed_alone(tmp_path: Path) -> None:
    first, again = (SyntheticRegression(synthetic=Drawn(**DRAWN)).load(tmp_path) for _ in range(2))
    assert first.provenance == again.provenance
    assert first.provenance.provider == "synthetic"
    assert (
        SyntheticRegression(synthetic=Drawn(**DRAWN | {"seed": 0})).load(tmp_path).provenance.sha256
        != first.provenance.sha256
    )
    one, two = (prepared(tmp_path, "regression", seed) for seed in (0, 1))
    everything = [
        np.concatenate([getattr(data, part).features for part in ("train", "valid", "test")]) for data in (one, two)
    ]
    assert not (one.train.ids == two.train.ids).all()
    assert (np.sort(everything[0], axis=0) == np.sort(everything[1], axis=0)).all()


def test_a_target_with_a_population_keeps_its_units(tmp_path: Path) -> None:
    data = prepared(tmp_path, "regression", synthetic={"noise": 0.0})
    assert data.population is not None
    for part in (data.train, data.valid, data.test):
        assert_allclose(part.features @ data.population.coefficients, part.target, atol=1e-12)
    other = prepared(tmp_path, "regression", synthetic={"noise": 0.0}, preprocess={"standardize": True})
    assert other.valid.target.std() == pytest.approx(1.0)


@pytest.mark.parametrize(
    "changes",
    [
        {"preprocess": {"standardize": True}},
        {"preprocess": PLAIN | {"components": 2}},
        {"preprocess": PLAIN | {"norm": 1.0}},
        {"features": ["x1", "x2"]},
        {"types": {"x3": "ignore"}},
        {"classes": ["positive", "negative"]},
    ],
)
def test_what_changes_the_rows_loses_the_population(changes: dict[str, Any], tmp_path: Path) -> None:
    assert prepared(tmp_path, "classification").population is not None
    assert prepared(tmp_path, "classification", **changes).population is None


def test_a_fraction_of_the_rows_and_their_damage_leave_it(tmp_path: Path) -> None:
    data = prepared(tmp_path, "classification", rows=100, corruption={"labels": 0.2})
    assert data.population is not None
    assert data.feature_names == tuple(f"x{i}" for i in range(1, 7))
    assert data.classes == ("negative", "positive")
    assert (~data.train.clean).sum() == 12


def test_real_data_have_no_population(tmp_path: Path) -> None:
    assert prepare(**settings(tmp_path, "diabetes", preprocess=PLAIN)).population is None


def test_nothing_is_read_or_fetched(tmp_path: Path) -> None:
    from assay.data import fetch

    assert fetch(["synthetic_regression"], tmp_path) == [
        "synthetic_regression: drawn when it is needed, nothing to fetch"
    ]
    prepare(**settings(tmp_path, "synthetic_regression"))
    assert not any(tmp_path.iterdir())
