"""Runs of a composed config in a temporary place, without the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from assay.config.compose import compose
from assay.data import PreparedData
from assay.experiment import prepared
from assay.runs import Outcome, Parts, RunContext, Streams
from assay.tasks import carry_out

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
