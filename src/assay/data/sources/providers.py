"""Providers of a dataset in their order: local path, archive, canonical source, or one line that says what to fetch."""

from __future__ import annotations

import importlib
import lzma
import pickle
import struct
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay.data.content import Content
from assay.data.dataset import Dataset
from assay.data.provenance import Provenance
from assay.data.sources.archives import FolderMembers, Members, file_sha256
from assay.data.sources.cache import cached
from assay.data.sources.copies import open_copy
from assay.data.sources.registries import offline
from assay.data.sources.source import Original, Source
from assay.data.sources.store import (
    check_originals,
    fetch_again,
    fetch_originals,
    find_archive,
    has_originals,
    open_checked,
    originals_folder,
)
from assay.errors import AssayError, InputError

# What parsers raise on content that is not what they expect.
_UNREADABLE = (
    *(KeyError, ValueError, IndexError, StopIteration, EOFError, OSError),
    *(struct.error, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, pickle.UnpicklingError),
)


def named_dataset(name: str, source: Source, copy: Content | None, download: bool, data_dir: Path) -> Dataset:
    """A dataset from the first place that has it: the user's copy, a library, an archive, the original files.

    The parsed form of an archive or original file is stored under data_dir/parsed; the checksum of an archive that is
    there is compared each time, so that damage is never served. AssayError in one line when no place has it.
    """
    if copy is not None:
        loader, members = open_copy(source, copy)
        return _run(loader, members, copy.provenance)
    if not source.needs_files:
        if source.loader is None:
            raise InputError("dataset", name, "its source has no archives, files or loader", "name one of them")
        dataset: Dataset = function_of(source.loader)()
        return dataset
    damage: list[str] = []
    for archive in source.archives:
        file = find_archive(archive, data_dir)
        if file is not None:
            try:
                members = open_checked(archive, file)
            except AssayError as error:
                damage.append(str(error))
                continue
            provenance = Provenance("archive", archive.label, archive.sha256)
            return _cached(name, archive.loader, members, provenance, data_dir)
    reason = ""
    if damage and download and not offline():
        print(f"{damage[0].partition(' (delete')[0]}; fetched again", file=sys.stderr, flush=True)
        fetch_again(name, source, data_dir)
        return named_dataset(name, source, copy, False, data_dir)
    if source.original is not None:
        if not has_originals(name, source.original, data_dir) and download and not offline():
            try:
                fetch_originals(name, source.original, data_dir)
            except AssayError as error:
                reason = f": {error}"
        if has_originals(name, source.original, data_dir):
            return _from_originals(name, source.original, data_dir)
    if damage:
        raise AssayError(damage[0])
    remedy = f"fetch it with `assay data fetch {name}`, or give a copy of yours as dataset.path"
    raise AssayError(f"dataset={name} is not on this machine{reason} ({remedy})")


def _from_originals(name: str, original: Original, data_dir: Path) -> Dataset:
    sha256 = check_originals(name, original, data_dir)
    url = original.files[0].url
    place = url if len(original.files) == 1 else f"{url} and {len(original.files) - 1} more"
    members = FolderMembers(originals_folder(name, data_dir))
    return _cached(name, original.loader, members, Provenance("canonical", place, sha256), data_dir)


def _cached(name: str, loader: str, members: Members, provenance: Provenance, data_dir: Path) -> Dataset:
    """The parsed form of the members, parsed anew when the module of the loader was changed."""
    file = importlib.import_module(function_of(loader).__module__).__file__
    code = "" if file is None else file_sha256(Path(file))
    return cached(name, provenance, data_dir, lambda: _run(loader, members, provenance), f"{loader}-{code}")


def _run(loader: str, members: Members, provenance: Provenance) -> Dataset:
    """Carry out a loader; what it does not find or cannot parse becomes one line."""
    parse = function_of(loader)
    try:
        dataset: Dataset = parse(members, provenance)
    except AssayError:
        raise
    except _UNREADABLE as error:
        text = " ".join(str(error).split())
        limit = f"{provenance.source} does not have the expected content ({type(error).__name__}: {text})"
        raise AssayError(f"{limit}; fetch it again with `assay data fetch`") from error
    return dataset


def function_of(path: str) -> Callable[..., Any]:
    """The function that "module.function" names; AssayError in one line when there is none."""
    module, _, function = path.rpartition(".")
    try:
        loader: Callable[..., Any] = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise AssayError(f"loader {path} cannot be imported: {error}") from error
    return loader
