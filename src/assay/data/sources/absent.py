"""Datasets and encoders that are asked for and are not on this machine, with the sizes of what would be fetched."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from assay.data.encoding.encoders import ENCODERS
from assay.data.sources.catalogue import catalogue
from assay.data.sources.source import Archive
from assay.data.sources.store import find_archive


class Absent(NamedTuple):
    """A dataset or an encoder by name, and the MB of 10^6 that are to be fetched; None where that is not known."""

    name: str
    megabytes: float | None

    def __str__(self) -> str:
        return self.name if self.megabytes is None else f"{self.name} ({self.megabytes:g} MB)"


def absent(names: Iterable[str], data_dir: Path, config_dir: Path | None = None) -> list[Absent]:
    """Those of the named datasets and encoders that cannot be read without a network, in order; unknown ones are not."""
    entries, missing = catalogue(config_dir), []
    for name in dict.fromkeys(names):
        if name in ENCODERS:
            parts = [archive for archive in ENCODERS[name].archives if find_archive(archive, data_dir) is None]
            if parts:
                missing.append(Absent(name, _megabytes(parts)))
        elif name in entries and not entries[name].source.cached(name, data_dir):
            missing.append(Absent(name, _megabytes(entries[name].source.archives[:1])))
    return missing


def _megabytes(archives: Iterable[Archive]) -> float | None:
    sizes = [archive.megabytes for archive in archives]
    return round(sum(sizes), 1) if sizes and all(sizes) else None
