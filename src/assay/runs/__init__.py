"""A run on disk, carried out once, resumable, never half-trusted; imports no torch."""

from __future__ import annotations

from assay.runs.context import RunContext
from assay.runs.directory import RunDirectory, finished_runs
from assay.runs.execute import RunResult, execute, find_finished
from assay.runs.fingerprint import fingerprint
from assay.runs.ledger import facts_of, of_account
from assay.runs.outcome import Headline, Outcome, Shown
from assay.runs.parts import Parts
from assay.runs.results import published_files
from assay.runs.streams import Streams

__all__ = [
    "Headline",
    "Outcome",
    "Parts",
    "RunContext",
    "RunDirectory",
    "RunResult",
    "Shown",
    "Streams",
    "execute",
    "facts_of",
    "find_finished",
    "fingerprint",
    "finished_runs",
    "of_account",
    "published_files",
]
