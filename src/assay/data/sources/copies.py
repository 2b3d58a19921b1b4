"""A user's copy of a source of a named dataset, given by its path."""

from __future__ import annotations

import io
from fnmatch import fnmatch
from pathlib import Path

from assay.data.content import Content, existing, read_content
from assay.data.sources.archives import FileMembers, Members, open_stream
from assay.data.sources.source import Source
from assay.errors import InputError


def read_copy(name: str, source: Source, path: str) -> Content:
    """The bytes of an archive, or of the original files; InputError when the path is no source of the dataset."""
    place = existing(path)
    if place.is_file():
        one_file = source.original is not None and len(source.original.files) == 1
        if one_file or any(fnmatch(place.name, archive.pattern) for archive in source.archives):
            return read_content(place)
    elif source.original is not None:
        names = _originals(source, place)
        if names:
            return read_content(place, names)
    takes = [archive.pattern for archive in source.archives]
    if source.original is not None:
        takes.append(f"a folder with {', '.join(source.original.names)}")
    remedy = f"takes {' or '.join(takes)}" if takes else "leave dataset.path null"
    raise InputError("dataset.path", path, f"is no source of dataset={name}", remedy)


def _originals(source: Source, folder: Path) -> list[str]:
    """Names of the original files in a folder; empty unless all are there, or others that the loader reads too."""
    assert source.original is not None
    if source.original.pattern:
        return [file.name for file in folder.glob(source.original.pattern) if file.is_file()]
    names = source.original.names
    return names if all((folder / name).is_file() for name in names) else []


def open_copy(source: Source, content: Content) -> tuple[str, Members]:
    """The loader of a copy that `read_copy` accepted, and its members."""
    for archive in source.archives:
        if content.path.name in content.files and fnmatch(content.path.name, archive.pattern):
            return archive.loader, open_stream(content.path, io.BytesIO(content.file))
    assert source.original is not None
    one_file = content.path.name in content.files and len(source.original.files) == 1
    files = {source.original.names[0]: content.file} if one_file else content.files
    return source.original.loader, FileMembers(files)
