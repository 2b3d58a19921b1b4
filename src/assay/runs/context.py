"""The surroundings of one run's work."""

from __future__ import annotations

from dataclasses import dataclass, field

from assay.runs.parts import Parts
from assay.runs.progress import Progress
from assay.runs.streams import Streams


@dataclass(frozen=True)
class RunContext:
    """Random streams, parts that outlive a kill and go when the run is finished, and the progress bars of one run."""

    streams: Streams
    parts: Parts = field(default_factory=Parts)
    progress: Progress = field(default_factory=lambda: Progress(wanted=False))
