"""Where a dataset came from, and how a user's own table was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Provenance:
    """The provider that served a dataset, the name it served it under, and the sha256 of what was read."""

    provider: str  # "built in" | "synthetic" | "local path" | "archive" | "canonical"
    source: str  # package==version, file name or URL
    sha256: str


@dataclass(frozen=True)
class Description:
    """The reading of a user's own table: columns used and left out, rows read and dropped."""

    target: str
    columns: Mapping[str, str]  # feature column -> numeric | categorical | text | image
    left_out: Mapping[str, str]  # column -> why; the reasons hold no counts
    rows: int  # of the table
    incomplete: int = 0  # of them left out for a missing cell
    notes: tuple[
        str, ...
    ] = ()  # on numbers that were written for people, parts left out; from public rows in a private run
    cautions: tuple[str, ...] = ()  # on what the user may not have meant; from public rows in a private run
