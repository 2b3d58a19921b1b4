"""The figures that a report draws itself, read back from their artists."""

from __future__ import annotations

from typing import Any

import pytest

from assay.report.aggregate import group_by_seed, table_over_seeds
from assay.report.claims import Claim
from assay.report.figures import claims_figure, png, summary_figure
from assay.report.reading import read_run
from assay.report.rules import Rule
from assay.report.verdicts import judge


def claim_of(**given: Any) -> Claim:
    fixed: dict[str, Any] = {"id": "c", "statement": "s", "source": "derived", "where": "w", "experiment": "e"}
    return Claim(**{**fixed, "metric": "m", "rule": Rule(low=0.5), **given})


def over_seeds(make_run: Any, seeds: int) -> Any:
    (group,) = group_by_seed(read_run(make_run(seed)) for seed in range(seeds))
    return table_over_seeds(group, "summary")


def test_a_strip_shows_interval_estimate_paper_and_rule(make_run: Any) -> None:
    runs = [read_run(make_run(seed, metrics={"m": value})) for seed, value in enumerate([0.7, 0.9])]
    judged = judge(claim_of(paper_value=1.0), runs, "p")
    figure = claims_figure([judged])
    assert figure is not None
    (axes,) = figure.axes
    interval, ours, paper = axes.lines
    assert list(interval.get_xdata()) == [judged.figure.low, judged.figure.high]
    assert list(ours.get_xdata()) == [pytest.approx(0.8)]
    assert list(paper.get_xdata()) == [1.0]
    (shade,) = axes.patches
    left, right = axes.get_xlim()
    assert left < judged.figure.low < judged.figure.high < right
    assert (shade.get_x(), shade.get_x() + shade.get_width()) == pytest.approx((0.5, right))
    assert [text.get_text() for text in axes.texts] == ["inconclusive"]


def test_claims_without_a_figure_have_no_strip(make_run: Any) -> None:
    run = read_run(make_run(0, metrics={"m": 0.0}))
    judged = [judge(claim_of(), [run], "p"), judge(claim_of(metric="absent"), [run], "p")]
    figure = claims_figure(judged)
    assert figure is not None
    assert len(figure.axes) == 1
    assert len(figure.axes[0].lines) == 1  # one seed: an estimate and no interval
    assert claims_figure(judged[1:]) is None


def test_summary_figure_draws_the_means(make_run: Any) -> None:
    table = over_seeds(make_run, 3)
    figure = summary_figure(table)
    assert figure is not None
    panels = {axes.get_title(): axes for axes in figure.axes}
    assert set(panels) == {"estimation uncertainty", "spearman"}  # auc is the same in every seed
    lines = {line.get_label(): line for line in panels["estimation uncertainty"].lines}
    drawn = lines["iid"]
    assert list(drawn.get_xdata()) == [10, 40, 160]
    expected = table[table.contender == "iid"]["estimation_uncertainty"]
    assert list(drawn.get_ydata()) == pytest.approx(list(expected))
    assert panels["estimation uncertainty"].get_yscale() == "log"
    assert panels["spearman"].get_yscale() == "linear"


def test_no_summary_figure_where_lines_would_lie(make_run: Any) -> None:
    table = over_seeds(make_run, 2)
    assert summary_figure(table.drop(columns="contender")) is None
    assert summary_figure(table[table.evaluations == 10]) is None
    assert summary_figure(table.assign(evaluations=[10, 10, 40] * 4)) is None
    assert summary_figure(table[["contender", "evaluations", "auc"]]) is None


def test_png_names_no_program(make_run: Any) -> None:
    figure = summary_figure(over_seeds(make_run, 2))
    assert figure is not None
    content = png(figure)
    assert content.startswith(b"\x89PNG")
    assert b"Software" not in content
    assert content == png(figure)
