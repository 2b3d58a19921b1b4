"""The bytes of a user's file or folder, read once: its checksum and its tables come from the same bytes."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.data.provenance import Provenance
from assay.errors import InputError

NEAR_NAME = 0.75  # how alike two file names are before one is suggested for the other


@dataclass(frozen=True, eq=False)
class Content:
    """A file, or files of a folder by name, and the sha256 of what was read."""

    path: Path
    files: Mapping[str, bytes]
    sha256: str

    @property
    def file(self) -> bytes:
        """The bytes of the one file."""
        return self.files[self.path.name]

    @property
    def provenance(self) -> Provenance:
        """The record of the file as the source of a dataset."""
        return Provenance("local path", self.path.name, self.sha256)


def existing(path: str | Path) -> Path:
    """The path, or an InputError when nothing is there."""
    place = Path(path).expanduser()
    if not place.exists():
        near = difflib.get_close_matches(place.name, _siblings(place), n=1, cutoff=NEAR_NAME)
        remedy = f"did you mean {near[0]!r}?" if near else "give the path from the current folder, or an absolute one"
        raise InputError("dataset.path", path, "no such file", remedy)
    return place


def _siblings(path: Path) -> list[str]:
    try:
        return [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return []


def read_content(path: str | Path, names: Sequence[str] = ()) -> Content:
    """The bytes of a file, or of the named files of a folder; InputError when nothing is there.

    The checksum is the sha256 of the file, or of the names and contents of the folder's files.
    """
    place = existing(path)
    if place.is_file():
        content = place.read_bytes()
        return Content(place, {place.name: content}, hashlib.sha256(content).hexdigest())
    files = {name: (place / name).read_bytes() for name in sorted(names)}
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(name.encode() + b"\0")
        digest.update(content)
    return Content(place, files, digest.hexdigest())


def folder_sha256(folder: Path) -> str:
    """sha256 of the names and contents of a folder's files, of which none stays in memory."""
    digest = hashlib.sha256()
    for file in sorted(entry for entry in folder.rglob("*") if entry.is_file()):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
        with file.open("rb") as stream:
            while block := stream.read(2**20):
                digest.update(block)
    return digest.hexdigest()
