"""The files under data_dir/raw: finding, checking and fetching them."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from assay.data.encoding.encoders import ENCODERS, Encoder
from assay.data.sources.archives import FolderMembers, Members, damaged, file_sha256, members_sha256, open_archive
from assay.data.sources.catalogue import catalogue, entry_of
from assay.data.sources.source import Archive, Original, Source
from assay.errors import AssayError


def raw_folder(data_dir: Path) -> Path:
    """The folder of archives and original files."""
    return Path(data_dir) / "raw"


def make_folder(folder: Path) -> None:
    """The folder with its parents; AssayError in one line when it cannot be made or written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AssayError(f"{folder} cannot be made: {error.strerror} (set ASSAY_DATA to a folder of yours)") from error
    if not os.access(folder, os.W_OK):
        raise AssayError(f"{folder} cannot be written to (set ASSAY_DATA to a folder of yours)")


def find_archive(archive: Archive, data_dir: Path) -> Path | None:
    """The cached file of an archive, the version of the catalogue first; None when there is none."""
    files = sorted(raw_folder(data_dir).glob(archive.pattern))
    return next((file for file in files if archive.version in file.name), files[0] if files else None)


def open_checked(archive: Archive, file: Path) -> Members:
    """Members of an archive whose checksum is that of the catalogue; AssayError in one line otherwise."""
    if not archive.members:
        checksum = file_sha256(file)
        if checksum != archive.sha256:
            raise _mismatch(file, checksum, archive.sha256)
        return open_archive(file)
    members = open_archive(file)
    try:
        checksum = members_sha256(members, archive.members)
    except Exception as error:
        raise damaged(file, error) from error
    if checksum != archive.sha256:
        raise _mismatch(file, checksum, archive.sha256)
    return members


def _mismatch(file: Path, checksum: str, expected: str) -> AssayError:
    return damaged(file, f"sha256 {checksum[:16]}… instead of {expected[:16]}…")


def originals_folder(name: str, data_dir: Path) -> Path:
    """The folder of the original files of a dataset."""
    return raw_folder(data_dir) / name


def has_originals(name: str, original: Original, data_dir: Path) -> bool:
    """True where every original file is there."""
    folder = originals_folder(name, data_dir)
    return all((folder / file.name).is_file() for file in original.files)


def check_originals(name: str, original: Original, data_dir: Path) -> str:
    """sha256 of the original files (over all of them when there are several); each is checked where a sum is known."""
    folder = originals_folder(name, data_dir)
    for file in original.files:
        check_file(folder / file.name, file.checksum)
    names = original.names
    return file_sha256(folder / names[0]) if len(names) == 1 else members_sha256(FolderMembers(folder), names)


def check_file(file: Path, checksum: str) -> None:
    """Raise AssayError unless a file has the checksum "md5:..." or "sha256:..."; an empty one is not checked."""
    if checksum:
        algorithm, _, expected = checksum.partition(":")
        digest = hashlib.new(algorithm, usedforsecurity=False)
        digest.update(file.read_bytes())
        if digest.hexdigest() != expected:
            raise damaged(file, f"{algorithm} {digest.hexdigest()[:16]}… instead of {expected[:16]}…")


def fetch(names: Sequence[str], data_dir: Path, config_dir: Path | None = None) -> list[str]:
    """Bring the sources of the named datasets and encoders to data_dir/raw; one line for each says what was done.

    Of a dataset the first archive that can be had is taken, else the canonical source; of an encoder all archives. Each
    file is checked before it gets its name.
    Raises AssayError, after all names were tried, when one can be had from nowhere, with the reasons.
    """
    # a misspelt name ends the command before anything is fetched
    known = catalogue(config_dir)
    entries = {name: ENCODERS[name] if name in ENCODERS else entry_of(name, known).source for name in names}
    done, failed = [], []
    for name, entry in entries.items():
        try:
            if isinstance(entry, Encoder):
                done.append(_fetch_encoder(entry, Path(data_dir)))
            else:
                done.append(_fetch_one(name, entry, Path(data_dir)))
        except AssayError as error:
            failed.append(str(error))
    if failed:
        raise AssayError(" | ".join(failed))
    return done


def fetch_again(name: str, source: Source, data_dir: Path) -> None:
    """Brings an archive again of which the file that is here is damaged; AssayError when nobody has it."""
    _fetch_one(name, source, Path(data_dir))


def _fetch_one(name: str, source: Source, data_dir: Path) -> str:
    if not source.needs_files:
        made = "drawn when it is needed" if source.loader is None else "built in"
        return f"{name}: {made}, nothing to fetch"
    reasons = []
    for archive in source.archives:
        try:
            return f"{name}: {_fetch_archive(archive, data_dir)}"
        except AssayError as error:
            reasons.append(str(error))
    if source.original is not None:
        try:
            fetch_originals(name, source.original, data_dir)
        except AssayError as error:
            reasons.append(str(error))
        else:
            return f"{name}: {', '.join(source.original.names)} from the canonical source"
    raise AssayError(f"dataset={name} cannot be fetched: {'; '.join(reasons)} (dataset.path takes a copy of yours)")


def _fetch_encoder(encoder: Encoder, data_dir: Path) -> str:
    try:
        return f"{encoder.name}: {', '.join(_fetch_archive(archive, data_dir) for archive in encoder.archives)}"
    except AssayError as error:
        raise AssayError(f"encoder {encoder.name} cannot be fetched: {error}") from error


def _fetch_archive(archive: Archive, data_dir: Path) -> str:
    """Where a file that is sound came from, or that it was there."""
    file = find_archive(archive, data_dir)
    try:
        if file is not None:
            open_checked(archive, file)
            return f"{file.name} is there already"
    except AssayError:
        assert file is not None
        file.unlink()  # damaged: fetched again
    return f"{_take(archive, data_dir).name} from {archive.label}"


def _take(archive: Archive, data_dir: Path) -> Path:
    """Download an archive to an empty folder, check it, and move it into place in one step."""
    from assay.data.sources.registries import download

    raw = raw_folder(data_dir)
    make_folder(raw)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=raw) as scratch:
        file = download(archive, Path(scratch))
        open_checked(archive, file)
        return file.replace(raw / file.name)


def fetch_originals(name: str, original: Original, data_dir: Path) -> None:
    """Download the original files of a dataset; AssayError in one line when one cannot be reached."""
    folder = originals_folder(name, data_dir)
    make_folder(folder)
    try:
        _fetch_files(original, folder)
    finally:
        if not any(folder.iterdir()):
            folder.rmdir()


def _fetch_files(original: Original, folder: Path) -> None:
    from assay.data.sources.registries import download_url

    for file in original.files:
        if not (folder / file.name).is_file():
            with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch:
                partial = Path(scratch) / file.name
                download_url(file.url, partial)
                check_file(partial, file.checksum)
                partial.replace(folder / file.name)


def verify(data_dir: Path, config_dir: Path | None = None) -> list[str]:
    """Problems of the files under data_dir/raw, one line each; empty when all that is there is as it should be."""
    problems = []
    checked = set()
    entries = catalogue(config_dir)
    of_encoders = [archive for encoder in ENCODERS.values() for archive in encoder.archives]
    for archive in [*(archive for entry in entries.values() for archive in entry.source.archives), *of_encoders]:
        file = find_archive(archive, data_dir)
        if file is not None and file not in checked:
            checked.add(file)
            try:
                open_checked(archive, file)
            except AssayError as error:
                problems.append(str(error))
    for name, entry in entries.items():
        original = entry.source.original
        if original is not None and has_originals(name, original, data_dir):
            try:
                check_originals(name, original, data_dir)
            except AssayError as error:
                problems.append(str(error))
    return problems
