"""Numbers, tables and sentences as text."""

from __future__ import annotations

import math
from typing import Any

import pytest

from assay.figures.tables import number, print_prose, print_table, with_interval

ROWS: list[dict[str, Any]] = [
    {
        "contender": "running_mean_burn_in",
        "evaluations": 1000 * k,
        "estimation_uncertainty": 1.28e-5 * k,
        "estimation_uncertainty_low": 9.19e-6,
        "estimation_uncertainty_high": 1.93e-5,
        "spearman": 0.976,
        "auc": 0.693,
        "epsilon": math.inf,
        "seconds": 0.0526,
    }
    for k in (4, 30)
]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
        (160, "160"),
        (8.0, "8"),
        (30000.0, "30000"),
        (1234567.0, "1234567"),
        (12345.6, "12346"),
        (0.123456, "0.123"),
        (-0.00001234, "-1.23e-05"),
        (1e20, "1e+20"),
        (True, "True"),
        ("iid", "iid"),
    ],
)
def test_numbers_in_words(value: object, text: str) -> None:
    assert number(value) == text


def test_an_interval_stands_where_it_says_something() -> None:
    row = {"a": 1.0, "a_low": 0.5, "a_high": 1.5, "b": 2.0, "b_low": 2.0, "b_high": 2.0, "c": 3.0, "low": 1, "high": 4}
    assert with_interval(row, "a") == "1 [0.5, 1.5]"
    assert with_interval(row, "b") == "2"
    assert with_interval(row, "c") == "3"
    assert with_interval(row, "c", {"c": ("low", "high")}) == "3 [1, 4]"
    assert with_interval({**row, "a_low": math.nan}, "a") == "1"
    assert with_interval({**row, "a_low": None}, "a") == "1"


@pytest.mark.parametrize("width", [40, 60, 80, 160])
def test_a_table_fits_the_terminal_and_loses_nothing(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    print_table("a title that is longer than forty characters are", ROWS)
    out = capsys.readouterr().out
    assert all(len(line) <= width for line in out.splitlines())
    cells = out.split()
    for row in ROWS:
        for column in ("contender", "evaluations", "estimation_uncertainty", "spearman", "auc", "epsilon", "seconds"):
            assert number(row[column]) in cells
    for name in ("estimation", "auc", "seconds"):
        assert name in out
    assert ("[9.19e-06, 1.93e-05]" in out) == (width == 160)
    blocks = out.count("contender")
    assert blocks == {40: 4, 60: 2, 80: 1, 160: 1}[width]
    assert cells.count("running_mean_burn_in") == 2 * blocks


def test_numbers_stand_under_each_other(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    print_table("", [{"name": "a", "count": 5}, {"name": "long", "count": 12345}], ("name", "count"))
    assert capsys.readouterr().out == "name  count\n----  -----\na         5\nlong  12345\n\n"


def test_no_rows_print_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("title", [])
    assert capsys.readouterr().out == ""


def test_sentences_break_between_words(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    path = "/a/path/that/is/longer/than/the/line-that-it-stands-on"
    print_prose([f"in full: {path}", "short"])
    assert capsys.readouterr().out.splitlines() == ["in full:", path, "short"]
