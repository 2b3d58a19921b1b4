"""The study of intervals of directed releases, on one small case."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from experiments.private_valuation import intervals


def test_the_study_scores_every_mechanism(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "cells.csv"
    arguments = ["--sets", "diabetes", "--seeds", "1", "--rows", "30", "--epsilons", "8", "--shifts", "valid", "--out"]
    monkeypatch.setattr(sys, "argv", ["intervals", *arguments, str(out)])
    intervals.main()
    cells = pd.read_csv(out).set_index("mechanism")
    assert list(cells.index) == list(intervals.mechanisms(8.0, "zero_out"))
    noise, private = cells.loc["public path, noise interval"], cells.loc["private path"]
    assert noise["covers"] < 0.3 < 0.7 < private["covers"]
    assert np.isfinite(private["gap"])
    said = capsys.readouterr().out
    assert all(title in said for title in ("means over sets", "by shift", "by data set", "alarms"))


@pytest.mark.parametrize("shift", intervals.SHIFTS)
def test_public_rows_are_those_of_the_shift(shift: str) -> None:
    case = intervals.case_of("breast_cancer", 40, 0, "auto")
    rows = intervals.public_rows(case, shift)
    valid = case.data.valid
    assert len(rows) == {"valid": 40, "permuted": 40, "ten rows": 10}.get(shift, len(rows))
    share = float(rows.target.double().mean())
    if shift == "one-sided":
        assert max(share, 1 - share) > 0.85
    if shift == "permuted":
        assert share == pytest.approx(valid.target.mean())
        assert not np.array_equal(rows.target.numpy(), valid.target)
    assert len(np.unique(intervals.one_sided(case).data.valid.target)) == 1
