"""What a task is given to carry out one run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.runs.progress import Progress
from assay.runs.streams import Streams


@dataclass(frozen=True)
class RunContext:
    """The surroundings of one run.

    `scratch` is a folder for checkpoints that outlives a kill and goes when the run is finished; files in it are to be
    written with `assay.runs.directory.write_atomically`. `carried_seconds` is what earlier, interrupted attempts took.
    """

    directory: Path
    scratch: Path
    streams: Streams
    workers: int = 1
    progress: Progress = field(default_factory=lambda: Progress(wanted=False))
    carried_seconds: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)

    def record(self, **facts: Any) -> None:
        """Adds facts to the run's status.json: data=provenance, epsilon=spent, ..."""
        self.facts.update(facts)
