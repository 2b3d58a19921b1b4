"""The rows of the cost of private values are computed, at tiny sizes. No time is asserted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from experiments.benchmarks import valuation_cost
from experiments.benchmarks.composed import data_of
from experiments.benchmarks.timing import Measurements, seconds
from experiments.benchmarks.valuation_cost import Growth, directed_cost, growth_cost, growth_figure, quickstart_cost
from tests.mechanisms import privacy_of

from assay.data import PreparedData
from assay.errors import InputError
from assay.learning.models.auto import Auto

TINY = Growth(rows=(8, 16), evaluations=(2, 4), fixed_rows=8, fixed_evaluations=3, valid=20)


@pytest.fixture(scope="module")
def digits() -> PreparedData:
    return valuation_cost.rows_of("digits", 12, 20)


def test_the_quickstart_has_a_row_for_each_mechanism_and_their_sum() -> None:
    measurements = Measurements()
    total = quickstart_cost(data_of("experiment=quickstart"), measurements, 1, evaluations=2, replicates=2)
    names = [row[0].split(",")[0] for row in measurements.rows]
    assert names == ["iid", "running_mean", "running_mean_burn_in", "directed", "the 3 at k=2 in all"]
    assert total == pytest.approx(sum(row[1] for row in measurements.rows[:3]))  # one round: the sum of its parts
    assert all(row[1] > 0 for row in measurements.rows)


def test_growth_measures_every_size_and_draws_it(tmp_path: Path) -> None:
    measurements = Measurements()
    points = growth_cost("breast_cancer", measurements, 2, TINY)
    assert {name: steps.tolist() for name, (steps, _) in points.items()} == {"n": [24, 48], "k": [16, 32]}
    assert all((taken > 0).all() for _, taken in points.values())
    names = [row[0] for row in measurements.rows]
    assert names[:4] == [f"breast_cancer, n={n}, k={k}, CPU s" for n, k in ((8, 3), (16, 3), (8, 2), (8, 4))]
    assert [name for name in names if "slope" in name and "n k" in name]
    growth_figure(points, "breast_cancer", tmp_path / "figures" / "cost.png")
    assert (tmp_path / "figures" / "cost.png").read_bytes().startswith(b"\x89PNG")


def test_slopes_and_the_straight_line_are_those_of_the_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds that are 0.5 + 0.001 n k must give a line of 0.5 s and 1,000 microseconds, and slopes below 1."""
    sizes = [n * k for sweep in TINY.sizes().values() for n, k in sweep]
    taken = np.array([[0.5 + 0.001 * size for size in sizes]])
    monkeypatch.setattr(valuation_cost, "rounds", lambda works, repeats: taken[:, : len(works)])
    measurements = Measurements()
    growth_cost("breast_cancer", measurements, 1, TINY)
    by_name = {row[0].removeprefix("breast_cancer, "): row[1] for row in measurements.rows}
    assert by_name["straight line in n k: CPU s done once"] == pytest.approx(0.5)
    assert by_name["straight line in n k: CPU microseconds for a step"] == pytest.approx(1000.0)
    assert by_name["log-log slope on n"] == pytest.approx(np.log2(0.548 / 0.524))


def test_both_precisions_of_the_directed_release_are_measured(digits: PreparedData) -> None:
    measurements = Measurements()
    directed_cost(digits, measurements, 1)
    assert [row[0].split(", ")[-2] for row in measurements.rows] == ["float32", "float64"]
    assert "1210 parameters, n=12" in measurements.rows[0][0]  # 64 * 16 + 16 + 16 * 10 + 10


def test_the_network_is_measured_on_images_with_its_errors_on_few(digits: PreparedData) -> None:
    measurements, images = Measurements(), replace(digits, modality="image")
    assert valuation_cost.cnn_cost(images, images, measurements, evaluations=1) == measurements.rows[-1][1] > 0
    assert [row[0].split(", ")[-1] for row in measurements.rows] == ["CPU s", "ratio", "CPU s"]
    assert "n=12, k=1, 20 valid rows, float32" in measurements.rows[-1][0]


def test_what_is_not_on_the_machine_is_left_out_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSAY_DATA", str(tmp_path / "data"))
    valuation_cost.main(["--only", "cnn,directed"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["directed is left out", "cnn is left out", "report"]
    assert "assay data fetch mnist" in lines[0]
    report = tmp_path / "outputs" / "reports" / "benchmarks" / "valuation_cost.csv"
    assert report.read_text() == "measurement,median,least,most\n"


def test_a_mistake_is_no_missing_data_set() -> None:
    with pytest.raises(InputError, match=r"dataset\.split"):
        valuation_cost.available("digits", 10**6, 20, "left out")


def test_an_estimate_is_of_the_asked_size(digits: PreparedData) -> None:
    work = valuation_cost.values(digits, Auto(), privacy_of("iid"), 2, replicates=3)
    estimates = work()
    assert estimates.values.shape == (3, 12)
    assert (estimates.touches == 2).all()
    assert len(seconds(work, 2)) == 2


def test_measurements_keep_names_with_commas(tmp_path: Path) -> None:
    measurements = Measurements()
    assert measurements.note("n=1, k=2", [3.0, 1.0, 2.0]) == 2.0
    measurements.write(tmp_path / "report" / "cost.csv")
    assert (tmp_path / "report" / "cost.csv").read_text().splitlines()[1] == '"n=1, k=2",2.0000,1.0000,3.0000'
