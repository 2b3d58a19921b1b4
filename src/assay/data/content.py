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
    def places(self) -> list[tuple[Path, bytes]]:
        """Each file with its bytes, in the order in which they are named."""
        single = len(self.files) == 1
        return [(self.path if single else Path(name), content) for name, content in self.files.items()]

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
    place = Path(path)
    try:
        if not place.exists():
            place = place.expanduser()
        there = place.exists()
    except (OSError, RuntimeError, ValueError):  # a name too long, a home of nobody, a zero byte
        there = False
    if not there:
        near = difflib.get_close_matches(place.name, _siblings(place), n=1, cutoff=NEAR_NAME)
        remedy = f"did you mean {near[0]!r}?" if near else "give the path from the current folder, or an absolute one"
        raise InputError("dataset.path", path, "no such file", remedy)
    return place


def _siblings(path: Path) -> list[str]:
    try:
        return [entry.name for entry in path.parent.iterdir()]
    except (OSError, ValueError):
        return []


def read_content(path: str | Path, names: Sequence[str] = ()) -> Content:
    """The bytes of a file, or of the named files of a folder; InputError when nothing is there.

    The checksum is the sha256 of the file, or of the names and contents of the folder's files.
    """
    place = existing(path)
    if not place.is_dir():
        content = _bytes_of(place)
        return Content(place, {place.name: content}, hashlib.sha256(content).hexdigest())
    files = {name: (place / name).read_bytes() for name in sorted(names)}
    digest = hashlib.sha256()
    for name, content in files.items():
        digest.update(name.encode() + b"\0")
        digest.update(content)
    return Content(place, files, digest.hexdigest())


def _bytes_of(file: Path) -> bytes:
    if not file.is_file():
        raise InputError("dataset.path", file, "is no regular file", "name a file that can be read from its start")
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(
            "dataset.path", file, f"cannot be read: {error.strerror}", "look at its permissions"
        ) from error


def joined(contents: Sequence[Content]) -> Content:
    """Several files as one content: their names are their paths."""
    if len(contents) == 1:
        return contents[0]
    digest = hashlib.sha256()
    for each in contents:
        digest.update(each.path.name.encode() + b"\0" + each.sha256.encode())
    files = {str(each.path): each.file for each in contents}
    return Content(Path(", ".join(each.path.name for each in contents)), files, digest.hexdigest())


def folder_sha256(folder: Path) -> str:
    """sha256 of the names and contents of a folder's files, of which none stays in memory."""
    digest = hashlib.sha256()
    for file in sorted(entry for entry in folder.rglob("*") if entry.is_file()):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
        with file.open("rb") as stream:
            while block := stream.read(2**20):
                digest.update(block)
    return digest.hexdigest()
