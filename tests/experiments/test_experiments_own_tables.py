"""Types that are inferred for real tables: those of the truth, and the lines of the documentation."""

from __future__ import annotations

from pathlib import Path

import pytest
from experiments.benchmarks.own_tables import HEADER, REAL, Real, csv_of, inferred

PAGE = Path(__file__).parents[2] / "docs" / "your_data.md"
KNOWN_FAULTS = {"credit_default": {"SEX"}, "diabetes": {"sex"}}  # categories written as 1 and 2


@pytest.mark.parametrize("real", REAL, ids=lambda real: real.name)
def test_types_of_a_real_table_are_inferred(real: Real) -> None:
    text = csv_of(real)
    if text is None:
        pytest.skip(f"no archive of {real.name} (assay data fetch {real.name})")
    reading = inferred(real, text)
    assert set(reading.wrong) == KNOWN_FAULTS.get(real.name, set())
    assert reading.classes == real.classes
    assert reading.line in PAGE.read_text()


def test_the_documentation_has_a_line_for_each_table() -> None:
    lines = PAGE.read_text().partition(HEADER)[2].strip().splitlines()
    assert [line.split("|")[1].strip() for line in lines[: len(REAL)]] == [real.name for real in REAL]
    assert len(REAL) >= 10
