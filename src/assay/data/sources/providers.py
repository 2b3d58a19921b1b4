"""Which provider serves a dataset: local path, archive, canonical source, or one line that says what to fetch."""

from __future__ import annotations

import importlib
import lzma
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from assay.data.dataset import Dataset
from assay.data.loaders.bundled import load_built_in
from assay.data.loaders.synthetic import load_synthetic
from assay.data.own.columns import existing, local_checksum
from assay.data.records import Provenance
from assay.data.sources.archives import FolderMembers, Members, OneFile, file_sha256, open_archive
from assay.data.sources.cache import cached
from assay.data.sources.catalogue import Entry, entry_of
from assay.data.sources.registries import offline
from assay.data.sources.store import (
    canonical_folder,
    check_canonical,
    fetch_canonical,
    find_archive,
    has_canonical,
    open_checked,
)
from assay.errors import AssayError, InputError

# What parsers raise on content that is not what they expect.
_UNREADABLE = (
    *(KeyError, ValueError, IndexError, StopIteration, EOFError, OSError),
    *(struct.error, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, pickle.UnpicklingError),
)


def load(
    name: str,
    *,
    kind: str,
    modality: str,
    path: str | None,
    target: str | None,
    features: Sequence[str] | None,
    types: Mapping[str, str],
    download: bool,
    data_dir: Path,
    missing: str = "error",
    encoding: str = "utf-8",
    synthetic: Mapping[str, Any] | None = None,
) -> Dataset:
    """The dataset of that name in storage form; InputError or AssayError in one line when it cannot be had."""
    if name in ("csv", "parquet", "huggingface"):
        if path is None:
            limit = f"dataset={name} needs your data"
            raise InputError("dataset.path", "null", limit, "give dataset.path=... and dataset.target=...")
        from assay.data.own import hub, local

        chosen: dict[str, Any] = {"kind": kind, "modality": modality, "target": target, "features": features}
        chosen |= {"types": types, "missing": missing}
        return (
            hub.load_hub(path, **chosen)
            if name == "huggingface"
            else local.load_table(path, encoding=encoding, **chosen)
        )
    entry = entry_of(name)
    if target is not None:
        raise InputError("dataset.target", target, f"dataset={name} has its own target", "leave it null")
    if entry.synthetic and path is None:
        if synthetic is None:
            raise InputError("dataset.synthetic", "null", "says what is drawn", "take dataset=" + name + " as shipped")
        dataset = load_synthetic(name, entry.kind, synthetic)
    else:
        dataset = named_dataset(name, entry, path, download, data_dir)
    from assay.data.changes import with_columns, with_kind

    return with_kind(with_columns(dataset, features, types), kind)


def named_dataset(name: str, entry: Entry, path: str | None, download: bool, data_dir: Path) -> Dataset:
    """A dataset of the catalogue from the first provider that has it.

    The parsed form of an archive or original file is kept under data_dir/parsed; the checksum of an archive that is
    there is compared each time, so that damage is never served.
    """
    if path is not None:
        return _from_path(name, entry, existing(path))
    if entry.built_in:
        return load_built_in(name)
    for archive in entry.archives:
        file = find_archive(archive, data_dir)
        if file is not None:
            members = open_checked(archive, file)
            provenance = Provenance("archive", archive.label, archive.sha256)
            return _cached(name, archive.loader, members, provenance, data_dir)
    reason = ""
    if entry.canonical is not None:
        if not has_canonical(name, entry.canonical, data_dir) and download and not offline():
            try:
                fetch_canonical(name, entry.canonical, data_dir)
            except AssayError as error:
                reason = f": {error}"
        if has_canonical(name, entry.canonical, data_dir):
            sha256 = check_canonical(name, entry.canonical, data_dir)
            url = entry.canonical.files[0][1]
            source = url if len(entry.canonical.files) == 1 else f"{url} and {len(entry.canonical.files) - 1} more"
            members = FolderMembers(canonical_folder(name, data_dir))
            return _cached(name, entry.canonical.loader, members, Provenance("canonical", source, sha256), data_dir)
    remedy = f"fetch it with `assay data fetch {name}`, or give a copy of yours as dataset.path"
    raise AssayError(f"dataset={name} is not on this machine{reason} ({remedy})")


def _from_path(name: str, entry: Entry, path: Path) -> Dataset:
    """A dataset of the catalogue out of the user's copy of one of its archives or original files."""
    provenance = Provenance("local path", path.name, "")
    for archive in entry.archives:
        if path.is_file() and fnmatch(path.name, archive.pattern):
            return _run(archive.loader, open_archive(path), _with_sum(provenance, path))
    if entry.canonical is not None:
        names = [file for file, _, _ in entry.canonical.files]
        if path.is_dir() and (entry.canonical.loader == "flows.iot23" or all((path / n).is_file() for n in names)):
            return _run(entry.canonical.loader, FolderMembers(path), _with_sum(provenance, path))
        if path.is_file() and len(names) == 1:
            return _run(entry.canonical.loader, OneFile(names[0], path), _with_sum(provenance, path))
    takes = [archive.pattern for archive in entry.archives]
    if entry.canonical is not None:
        takes.append(f"a folder with {', '.join(file for file, _, _ in entry.canonical.files)}")
    limit = f"is no source of dataset={name}"
    raise InputError("dataset.path", path, limit, f"takes {' or '.join(takes)}" if takes else "leave dataset.path null")


def _with_sum(provenance: Provenance, path: Path) -> Provenance:
    checksum = file_sha256(path) if path.is_file() else local_checksum(path)
    return Provenance(provenance.provider, provenance.source, checksum)


def _cached(name: str, loader: str, members: Members, provenance: Provenance, data_dir: Path) -> Dataset:
    return cached(name, provenance, data_dir, lambda: _run(loader, members, provenance))


def _run(loader: str, members: Members, provenance: Provenance) -> Dataset:
    """Carry out a loader; what it does not find or cannot parse becomes one line."""
    module, _, function = loader.partition(".")
    parse = getattr(importlib.import_module(f"assay.data.loaders.{module}"), function)
    try:
        dataset: Dataset = parse(members, provenance)
    except AssayError:
        raise
    except _UNREADABLE as error:
        text = " ".join(str(error).split())
        limit = f"{provenance.source} does not have the expected content ({type(error).__name__}: {text})"
        raise AssayError(f"{limit}; fetch it again with `assay data fetch`") from error
    return dataset
