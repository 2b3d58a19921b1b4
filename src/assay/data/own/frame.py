"""A frame from Python as a table of the user's own: the bytes of its CSV file, without the file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from assay.data.content import Content
from assay.data.own.options import CsvTable
from assay.errors import InputError


@dataclass(frozen=True)
class FrameTable(CsvTable):
    """A pandas frame, read as `frame.to_csv(index=False)` would be: the same table as a file gives the same numbers."""

    name: str = "frame"
    path: str | None = "frame"
    frame: Any = None

    @cached_property
    def content(self) -> Content:
        """The bytes of the frame as CSV; InputError where there is none, or a column that the options name is missing."""
        if self.frame is None:
            raise InputError(
                "dataset", self.name, "is for frames from Python", "use assay.value(frame, ...), or dataset=csv"
            )
        written = self.frame.to_csv(index=False).encode()
        self._check_names([str(column) for column in self.frame.columns])
        return Content(Path("frame"), {"frame": written}, hashlib.sha256(written).hexdigest())

    def __getstate__(self) -> dict[str, Any]:
        """The options without the frame."""
        return {**super().__getstate__(), "frame": None}
