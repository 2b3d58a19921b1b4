"""What a run is on disk and how one is carried out: once, resumable, never half-trusted; imports no torch."""

from __future__ import annotations

from assay.runs.context import RunContext
from assay.runs.directory import RunDirectory, finished_runs
from assay.runs.execute import RunResult, execute, find_finished
from assay.runs.fingerprint import fingerprint
from assay.runs.outcome import Outcome
from assay.runs.parts import Parts
from assay.runs.streams import Streams

__all__ = [
    "Outcome",
    "Parts",
    "RunContext",
    "RunDirectory",
    "RunResult",
    "Streams",
    "execute",
    "find_finished",
    "fingerprint",
    "finished_runs",
]
