"""The rows of the cost of marginal contributions are computed, at tiny sizes. No time is asserted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from experiments.benchmarks import marginal_contributions
from experiments.benchmarks.composed import data_of
from experiments.benchmarks.marginal_contributions import (
    Size,
    Spent,
    classes_cost,
    contributions_cost,
    disagreement,
    of_classes,
    problem,
    share_explained,
)
from experiments.benchmarks.timing import Measurements

from assay.valuation.contributions.binary_logistic import BinaryLogisticSolver

TINY = Size(points=12, samples=50, share=0.1, smallest=30, largest=120, cardinalities=2, pairs=3, checked=4)


def test_each_way_has_its_seconds_and_its_agreement(capsys: pytest.CaptureFixture[str]) -> None:
    measurements = Measurements()
    spent = contributions_cost(problem("breast_cancer", 12, "negative_loss"), TINY, measurements)
    rows = {name: value for name, value, *_ in measurements.rows}
    whole = "12 points, 2 cardinalities, 50 subsets"
    assert rows[f"{whole}, exact, CPU s"] == pytest.approx(10 * spent.seconds["exact"])  # 5 of 50 subsets
    loop = rows[f"{whole}, scikit-learn by 6 pairs, CPU s"]
    assert loop == pytest.approx(spent.seconds["scikit-learn"] / 6 * 12 * 2 * 50)
    assert rows["scikit-learn over exact, ratio"] == pytest.approx(loop / rows[f"{whole}, exact, CPU s"])
    assert rows["exact against refits: worst error / rms, millionths, by k"] < 100
    assert rows["two levels against exact: R2 of psi_k, by k"] <= 1
    assert "fallbacks" in capsys.readouterr().out


def test_agreement_would_show_an_error() -> None:
    solver, subset = BinaryLogisticSolver(problem("breast_cancer", 12, "negative_loss")), np.arange(40)
    delta = solver.shared([subset]).delta
    assert disagreement(solver, [subset], delta, 12)[1] < 1e-4
    wrong = delta + 0.01 * np.sqrt(np.mean(delta**2))
    assert disagreement(solver, [subset], wrong, 12)[0] == pytest.approx(0.01, rel=1e-2)


def test_share_explained_is_r2() -> None:
    truth = np.array([1.0, 2.0, 3.0])
    assert share_explained(truth, truth) == 1.0
    assert share_explained(np.full(3, 2.0), truth) == 0.0


def test_classes_are_numbered_from_nought_and_several_are_measured() -> None:
    data = data_of("dataset=digits", "dataset.split={train: 400, valid: 200, test: 0}")
    setting = of_classes(data, (2, 5, 7), 6, 8, "negative_loss")
    assert setting.classes == 3
    assert set(setting.pool.target) == {0, 1, 2}
    assert setting.points.features.shape == (8, 6)
    measurements = Measurements()
    classes_cost(setting, Size(smallest=20, largest=40, pairs=2), measurements)
    assert len(measurements.rows) == 9
    assert measurements.rows[0][0] == "3 classes, k=20, microseconds for a contribution, cheap"


def test_seconds_add_up_by_name() -> None:
    spent = Spent()
    assert [spent.on("same", lambda: 7), spent.on("same", lambda: 8)] == [7, 8]
    assert spent.seconds["same"] >= 0


def test_breast_cancer_stands_in_for_what_is_not_on_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSAY_DATA", str(tmp_path / "data"))
    marginal_contributions.main(["--points", "8", "--samples", "20", "--share", "0.2"])
    assert "breast_cancer in place of fashion_mnist" in capsys.readouterr().out
    assert (tmp_path / "outputs/reports/benchmarks/marginal_contributions.csv").is_file()
