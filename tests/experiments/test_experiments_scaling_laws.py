"""The tables of scaling laws are made of runs, and what the benchmark of fits draws is what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from experiments.benchmarks.law_fits import drawn, setting_for
from experiments.scaling_laws.tables import main

from assay.cli import main as assay


def test_tables_have_a_line_for_each_experiment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    small = ["dataset=breast_cancer", "dataset.split={train: 300, valid: 100, test: 100}", "scale=smoke"]
    small += ["valuation.smallest=20", "valuation.largest=99"]
    law = ["task=scaling_law", "name=scaling_laws/law_small", "task.points=10", "task.samples=8"]
    adding = ["task=point_addition", "name=scaling_laws/addition_small", "task.pools=[30,60]", "task.candidates=30"]
    scored = ["task=law_estimators", "name=scaling_laws/estimators_small", "task.points=12", "task.samples=[6]"]
    scored += ["task.estimators=[monte_carlo,empirical_bayes]", "task.bank=20", "task.reference=8"]
    for seed in (0, 1):
        for task in (law, adding, scored):
            assert assay(["run", *small, *task, f"seed={seed}"]) == 0
    capsys.readouterr()
    main(["--scale", "smoke", "laws", "estimators", "coverage", "addition"])
    printed = capsys.readouterr().out
    assert "| small | 2 |" in printed
    assert "| monte_carlo | 6 |" in printed
    assert "| small | empirical_bayes | 6 |" in printed
    assert "| 30 | joint_30 |" in printed


def test_the_benchmark_draws_laws_of_both_signs() -> None:
    samples = drawn(200, 30)
    assert samples.delta.shape == (200, 30)
    assert samples.cardinality.min() >= 100
    level = (samples.delta * samples.cardinality**1.3).mean(axis=1)
    assert (level > 0).any()
    assert (level < 0).any()
    # the spread falls with the cardinality, as k^-1.4
    few, many = samples.cardinality < 200, samples.cardinality > 600
    assert np.abs(samples.delta[few]).mean() > 2 * np.abs(samples.delta[many]).mean()
    assert len(setting_for(50).points) == 50
