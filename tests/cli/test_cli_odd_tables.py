"""Odd tables through the whole command: valued as their truth says, or one line, status 2 and nothing left."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))

from odd_columns import COLUMNS, Odd, written
from odd_files import STORED, TEXTS, File

from assay.cli import main
from assay.data.own.faults import na_override

FILES = TEXTS | STORED
TABLES: dict[str, Odd | File] = {f"column: {name}": odd for name, odd in COLUMNS.items()} | {
    f"file: {name}": file for name, file in FILES.items()
}


def overrides(given: dict[str, Any]) -> Iterator[str]:
    """Options as one writes them in a shell."""
    for key, value in given.items():
        if key == "na":
            yield na_override(["null" if text is None else text for text in value])
        elif key == "types":
            yield from (f"dataset.types.{column}={kind}" for column, kind in value.items())
        else:
            yield f"dataset.{key}={value}"


def command(table: Odd | File, folder: Path) -> list[str]:
    """Writes a table into a folder; the command that values it."""
    files = table.files if isinstance(table, File) else {"odd.csv": written(table.cells).encode()}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    option = table.option if isinstance(table, File) else "csv"
    paths = [str(folder / name) for name in files]
    path = f"dataset.path=[{','.join(paths)}]" if len(paths) > 1 else f"dataset.path='{paths[0]}'"
    own = [f"dataset={option}", path, "dataset.target=y", *overrides(table.given)]
    return ["run", "task=value", *own, "valuation.evaluations=2", "valuation.bootstrap=0"]


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_an_odd_table_is_valued_or_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "work"
    place.mkdir()
    monkeypatch.chdir(place)
    table = TABLES[name]
    status = main(command(table, tmp_path))
    said = capfd.readouterr()
    if table.refused is not None:
        assert status == 2
        assert said.err.count("\n") == 1
        assert table.refused in said.err
        assert list(place.iterdir()) == []
        return
    assert status == 0, said.err
    (values,) = place.glob("outputs/runs/value/*/values.csv")
    rows = table.rows if isinstance(table, File) else 60 if ("missing", "drop") not in table.options else None
    count = len(pd.read_csv(values))
    assert count == round(0.6 * rows) if rows is not None else 20 <= count < 36


def test_enough_odd_tables_are_there() -> None:
    assert len(TABLES) >= 150
    assert sum(table.refused is None for table in TABLES.values()) >= 100
