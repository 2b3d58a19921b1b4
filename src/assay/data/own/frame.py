"""A frame from Python as a table of the user's own: the bytes of its CSV file, without the file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.data.content import Content
from assay.data.own.files import CsvTable
from assay.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def _whole(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its whole numbers written as such, where a missing cell beside them made them floats."""
    import numpy as np
    import pandas as pd

    changed = {}
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        if isinstance(column.dtype, np.dtype) and column.dtype.kind == "f" and column.hasnans:
            there = column.dropna()
            if len(there) and (there % 1 == 0).all() and (there.abs() < 2**53).all():
                changed[place] = column.astype(pd.Int64Dtype())
    if not changed:
        return frame
    columns = [changed.get(place, frame.iloc[:, place]) for place in range(frame.shape[1])]
    return pd.concat(columns, axis=1)


@dataclass(frozen=True)
class FrameTable(CsvTable):
    """A pandas frame, read as `frame.to_csv(index=False)` would be: the same table as a file gives the same numbers."""

    name: str = "frame"
    path: str | list[str] | None = "frame"
    frame: Any = None

    @cached_property
    def content(self) -> Content:
        """The bytes of the frame as CSV; InputError where there is none, or a column that the options name is missing."""
        if self.frame is None:
            raise InputError(
                "dataset", self.name, "is for frames from Python", "use assay.value(frame, ...), or dataset=csv"
            )
        if self.frame.columns.nlevels > 1:
            limit = f"has names of {self.frame.columns.nlevels} levels"
            raise InputError("dataset", self.name, limit, "give each column one name")
        written = _whole(self.frame).to_csv(index=False).encode()
        self._check_names([str(column) for column in self.frame.columns])
        return Content(Path("frame"), {"frame": written}, hashlib.sha256(written).hexdigest())

    def __getstate__(self) -> dict[str, Any]:
        """The options without the frame."""
        return {**super().__getstate__(), "frame": None}
