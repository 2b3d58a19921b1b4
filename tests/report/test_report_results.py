"""All finished runs as one table: means over runs, questions in SQL, the page of a large sweep."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import assay
from assay.cli import main
from assay.errors import InputError
from assay.report import build_report
from assay.report.aggregate import group_by_seed, values_over_seeds
from assay.report.html import DETAILED
from assay.report.reading import read_run
from assay.report.results import means_table, query, runs_table
from assay.statistics import mean_interval

EPSILONS = (0.5, 1.0, 8.0)


@pytest.fixture
def sweep(make_run: Any) -> list[Any]:
    """Three budgets, three seeds; iid/slope is 0.8 + 0.01 * seed."""
    return [read_run(make_run(seed, privacy__epsilon=epsilon)) for epsilon in EPSILONS for seed in (0, 1, 2)]


def test_means_are_over_the_runs_that_agree(sweep: list[Any]) -> None:
    table = means_table(runs_table(sweep), ["seed"], ["iid/slope"])
    assert table["seed"].tolist() == [0, 1, 2]
    assert table["runs"].tolist() == [3, 3, 3]
    np.testing.assert_allclose(table["iid/slope"], [0.8, 0.81, 0.82])
    over_seeds = means_table(runs_table(sweep), ["privacy.epsilon"], ["iid/slope"])
    expected = mean_interval([0.8, 0.81, 0.82])
    assert over_seeds["privacy.epsilon"].tolist() == list(EPSILONS)
    np.testing.assert_allclose(over_seeds["iid/slope_low"], expected.low)
    np.testing.assert_allclose(over_seeds["iid/slope_high"], expected.high)


def test_a_group_stands_for_the_name_of_its_option(sweep: list[Any]) -> None:
    assert means_table(runs_table(sweep), ["dataset"], ["iid/slope"])["dataset.name"].tolist() == ["diabetes"]


def test_lists_are_keys_too(sweep: list[Any]) -> None:
    table = means_table(runs_table(sweep), ["task.evaluations"], ["iid/slope"])
    assert table["task.evaluations"].tolist() == ["[10, 40, 160]"]


@pytest.mark.parametrize(("by", "metrics"), [(["sed"], ["iid/slope"]), (["seed"], ["slope"]), (["seed"], ["scale"])])
def test_a_wrong_column_is_named(sweep: list[Any], by: list[str], metrics: list[str]) -> None:
    with pytest.raises(InputError, match=r"--(by|metrics)="):
        means_table(runs_table(sweep), by, metrics)


def test_sql_sees_runs_and_the_tables_of_all_of_them(sweep: list[Any]) -> None:
    joined = query(
        sweep,
        'SELECT privacy_epsilon, count(*) AS rows FROM (SELECT fingerprint, "privacy.epsilon" AS privacy_epsilon FROM runs) '
        'JOIN "values" USING (fingerprint) GROUP BY 1 ORDER BY 1',
    )
    rows = len(sweep[0].table("values")) * 3
    assert joined.values.tolist() == [[epsilon, rows] for epsilon in EPSILONS]


@pytest.mark.parametrize("sql", ["SELECT * FROM nope", "SELEC 1", "COPY runs TO 'out.csv'", "SELECT * FROM 'out.csv'"])
def test_a_question_that_cannot_be_answered_is_one_line(
    sweep: list[Any], sql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        query(sweep, sql)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out.csv").exists()


def test_the_command_prints_a_row_for_each_setting(
    sweep: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = ["--outputs", str(tmp_path / "outputs")]
    assert main(["results", "--json", "--by", "privacy.epsilon", "--metrics", "iid/slope", *outputs]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["privacy.epsilon"] for row in rows] == list(EPSILONS)
    assert main(["results", *outputs]) == 0
    assert "9 runs, 3 settings" in capsys.readouterr().out
    assert main(["results", "--csv", *outputs]) == 0
    assert capsys.readouterr().out.startswith("privacy.epsilon,contender,evaluations,")
    assert main(["results", "--name", "nope", *outputs]) == 2
    assert main(["results", str(tmp_path / "nothing")]) == 2


def test_python_has_the_same(sweep: list[Any], tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    frame = assay.results(outputs, by=["privacy.epsilon"], metrics=["iid/slope"])
    assert frame["runs"].tolist() == [3, 3, 3]
    assert assay.results(outputs, sql="SELECT count(*) AS n FROM runs")["n"].tolist() == [9]
    assert assay.results(outputs, "nope").empty


def test_values_over_seeds_know_how_many_seeds_valued_a_row(make_run: Any) -> None:
    frames = [
        pd.DataFrame({"id": ids, "value": values}) for ids, values in (([0, 1], [1.0, 5.0]), ([1, 2], [3.0, 7.0]))
    ]
    runs = [read_run(make_run(seed, tables={"values": frame})) for seed, frame in enumerate(frames)]
    (group,) = group_by_seed(runs)
    means = values_over_seeds(group)
    assert means is not None
    assert means[["id", "value", "seeds"]].values.tolist() == [[0, 1.0, 1], [1, 4.0, 2], [2, 7.0, 1]]
    expected = mean_interval([5.0, 3.0])
    assert means.loc[1, ["value_low", "value_high"]].tolist() == [expected.low, expected.high]


def test_a_sweep_begins_with_its_table_and_a_figure(make_run: Any, tmp_path: Path) -> None:
    values = {"values": pd.DataFrame({"id": [0, 1], "value": [0.5, 1.5]})}
    runs = [
        make_run(seed, tables=values, metrics={"iid/slope": epsilon + seed}, privacy__epsilon=epsilon)
        for epsilon in EPSILONS
        for seed in (0, 1)
    ]
    page = build_report(runs, tmp_path / "page", "Sweep")
    text = page.read_text()
    assert text.index('id="summary"') < text.index("sweep.png") < text.index('id="runs"')
    assert (tmp_path / "page" / "sweep.png").stat().st_size > 0
    assert len(list((tmp_path / "page").glob("values_over_seeds-*.csv"))) == len(EPSILONS)
    assert "How do uncertainty, rank fidelity" in text


def test_a_large_sweep_leaves_single_settings_out(make_run: Any, tmp_path: Path) -> None:
    runs = [make_run(0, tables={}, privacy__epsilon=float(place + 1)) for place in range(DETAILED + 1)]
    text = build_report(runs, tmp_path / "page", "Sweep").read_text()
    assert "are left out of so large a page" in text
    assert "Config of" not in text
    assert f"{DETAILED + 1} configurations" in text
