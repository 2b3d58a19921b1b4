"""Runs of a composed config in a temporary place, without the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assay.config.compose import compose
from assay.data import PreparedData
from assay.experiment import prepared
from assay.runs import Outcome, Parts, RunContext, Streams
from assay.tasks import carry_out, measuring
from assay.tasks.comparison import Measured

Answer = Callable[..., Outcome]


@pytest.fixture
def answer(tmp_path: Path) -> Answer:
    """answer("task=value", ..., workers=2) gives the outcome; files of the run lie in tmp_path; `change` alters the data."""

    def carried(
        *overrides: str,
        workers: int = 1,
        folder: str = "run",
        change: Callable[[PreparedData], PreparedData] = lambda data: data,
    ) -> Outcome:
        choices = compose([*overrides, f"paths.data={tmp_path / 'data'}"])
        data, streams = prepared(choices), Streams(choices.seed)
        scratch = tmp_path / folder / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        return carry_out(choices, change(data), RunContext(streams, Parts(scratch, workers)))

    return carried


@pytest.fixture
def cells(monkeypatch: pytest.MonkeyPatch) -> dict[str, Measured]:
    """The cells that the last run measured, by name."""
    by_name: dict[str, Measured] = {}
    original = measuring.measure

    def recorded(*arguments: Any) -> list[Measured]:
        results = original(*arguments)
        by_name.update({result.cell.name: result for result in results})
        return results

    monkeypatch.setattr(measuring, "measure", recorded)
    return by_name
