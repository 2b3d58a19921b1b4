"""The surroundings of one run's work."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from assay.runs.parts import Parts
from assay.runs.progress import Progress
from assay.runs.streams import Streams


@dataclass(frozen=True)
class RunContext:
    """Random streams, parts that outlive a kill and go when the run is finished, and the progress bars of one run."""

    streams: Streams
    parts: Parts = field(default_factory=Parts)
    progress: Progress = field(default_factory=lambda: Progress(wanted=False))

    @property
    def scratch(self) -> Path:
        """The folder of the parts; ValueError where nothing is saved."""
        if self.parts.folder is None:
            raise ValueError("a run without a folder saves no checkpoints")
        return self.parts.folder

    @property
    def workers(self) -> int:
        """Number of processes."""
        return self.parts.workers
