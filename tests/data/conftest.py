"""Fixtures of the data layer."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def table_file(tmp_path: Path) -> Path:
    """A csv of 60 rows with numbers, a category, a boolean and two classes."""
    lines = ["age,height,city,member,label"]
    for i in range(60):
        lines.append(
            f"{20 + i % 37},{150 + (i * 7) % 40}.5,{['Rome', 'Bern', 'Oslo'][i % 3]},{i % 2 == 0},{['no', 'yes'][i % 2]}"
        )
    path = tmp_path / "people.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
