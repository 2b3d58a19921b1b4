"""The tables of the README on scaling laws."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from experiments.scaling_laws.tables import estimators_table

from assay.report.reading import RunRecord


def record(folder: Path, name: str, rows: list[tuple[str, str, int, float]]) -> RunRecord:
    folder.mkdir()
    frame = pd.DataFrame(rows, columns=["density", "estimator", "samples", "r2"])
    frame.to_parquet(folder / "summary.parquet")
    return RunRecord(folder, {"name": f"scaling_laws/estimators_{name}", "seed": 0}, {}, {}, ("summary",))


def test_data_sets_with_other_estimators_or_densities_leave_cells_empty(tmp_path: Path) -> None:
    records = [
        record(tmp_path / "a", "adult", [("uniform", "likelihood", 10, 0.5), ("log_uniform", "likelihood", 10, 0.6)]),
        record(tmp_path / "m", "magic", [("uniform", "likelihood", 10, 0.7), ("uniform", "amortised", 10, 0.8)]),
    ]
    uniform, other = (estimators_table(records, density) for density in ("uniform", "log_uniform"))
    assert uniform[0] == "| estimator | m | adult | magic |"
    assert uniform[2:] == [
        "| likelihood | 10 | 0.5 [nan, nan] | 0.7 [nan, nan] |",
        "| amortised | 10 |  | 0.8 [nan, nan] |",
    ]
    assert other[2:] == ["| likelihood | 10 | 0.6 [nan, nan] |  |"]
