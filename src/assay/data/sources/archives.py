"""Packages read as archives: wheels, sdists, npm tarballs and Debian packages; nothing is imported or installed."""

from __future__ import annotations

import fnmatch
import hashlib
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol

from assay.errors import AssayError


class Members(Protocol):
    """Named files of an archive or a folder."""

    def names(self) -> list[str]:
        """Names of all files, in their order."""

    def read(self, name: str) -> bytes:
        """Content of one file; KeyError when it is not there."""

    def matching(self, pattern: str) -> Iterator[tuple[str, bytes]]:
        """Name and content of the files whose name matches a shell pattern, in one pass, in their order."""


class ZipMembers:
    """Files of a wheel or zip."""

    def __init__(self, archive: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(archive)

    def names(self) -> list[str]:
        """Names of all files, in their order."""
        return self._zip.namelist()

    def read(self, name: str) -> bytes:
        """Content of one file; KeyError when it is not there."""
        return self._zip.read(name)

    def matching(self, pattern: str) -> Iterator[tuple[str, bytes]]:
        """Name and content of the files whose name matches a shell pattern."""
        return ((name, self.read(name)) for name in fnmatch.filter(self.names(), pattern))


class TarMembers:
    """Files of a tarball, compressed or not; names lose a leading "./"."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._tar = tarfile.open(fileobj=stream)  # noqa: SIM115 - lives as long as this object, over memory or a file
        self._infos = {info.name.removeprefix("./"): info for info in self._tar if info.isfile()}

    def names(self) -> list[str]:
        """Names of all files, in their order."""
        return list(self._infos)

    def read(self, name: str) -> bytes:
        """Content of one file; KeyError when it is not there."""
        stream = self._tar.extractfile(self._infos[name])
        assert stream is not None  # only regular files are listed
        return stream.read()

    def matching(self, pattern: str) -> Iterator[tuple[str, bytes]]:
        """Name and content of the files whose name matches a shell pattern; in order, since going back is slow."""
        return ((name, self.read(name)) for name in self._infos if fnmatch.fnmatch(name, pattern))


class FolderMembers:
    """Files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def names(self) -> list[str]:
        """Names of all files below the folder, sorted."""
        files = (file for file in self._folder.rglob("*") if file.is_file())
        return sorted(file.relative_to(self._folder).as_posix() for file in files)

    def read(self, name: str) -> bytes:
        """Content of one file; KeyError when it is not there."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError as error:
            raise KeyError(name) from error

    def matching(self, pattern: str) -> Iterator[tuple[str, bytes]]:
        """Name and content of the files whose name matches a shell pattern."""
        return ((name, self.read(name)) for name in fnmatch.filter(self.names(), pattern))


class FileMembers:
    """Files in memory."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def names(self) -> list[str]:
        """Names of all files, in their order."""
        return list(self._files)

    def read(self, name: str) -> bytes:
        """Content of one file; KeyError when it is not there."""
        return self._files[name]

    def matching(self, pattern: str) -> Iterator[tuple[str, bytes]]:
        """Name and content of the files whose name matches a shell pattern."""
        return ((name, self.read(name)) for name in fnmatch.filter(self.names(), pattern))


def open_archive(file: Path) -> Members:
    """Members of a .whl, .zip, .tar.*, .tgz or .deb file; AssayError in one line when it cannot be read."""
    try:
        stream = file.open("rb")
    except OSError as error:
        raise damaged(file, error) from error
    return open_stream(file, stream)


def open_stream(file: Path, stream: IO[bytes]) -> Members:
    """Members of the archive in a stream, of the form that the name of `file` says; AssayError in one line as above."""
    try:
        if file.suffix in (".whl", ".zip"):
            return ZipMembers(stream)
        if file.suffix == ".deb":
            return TarMembers(_debian_data(stream.read()))
        return TarMembers(io.BytesIO(stream.read()))
    except (zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError) as error:
        raise damaged(file, error) from error


def damaged(file: Path, reason: object) -> AssayError:
    """The error for an archive that is not what it should be."""
    line = next(iter(str(reason).splitlines()), type(reason).__name__).rstrip(":")
    return AssayError(f"{file}: damaged archive, {line} (delete it and fetch it again with `assay data fetch`)")


def ar_members(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and content of the members of an `ar` archive, the outer form of a Debian package (see ar(5))."""
    if not content.startswith(b"!<arch>\n"):
        raise tarfile.ReadError("not an ar archive")
    position = 8
    while position + 60 <= len(content):
        head = content[position : position + 60]
        if head[58:] != b"`\n":
            raise tarfile.ReadError("broken ar header")
        name, size = head[:16].decode("ascii").strip().rstrip("/"), int(head[48:58])
        body = content[position + 60 : position + 60 + size]
        if len(body) < size:
            raise EOFError("truncated ar archive")
        yield name, body
        position += 60 + size + size % 2


def _debian_data(package: bytes) -> IO[bytes]:
    """The data tarball of a Debian package."""
    for name, body in ar_members(package):
        if name.startswith("data.tar"):
            return io.BytesIO(_unzstd(body) if name.endswith(".zst") else body)
    raise tarfile.ReadError("no data.tar inside")


def _unzstd(body: bytes) -> bytes:
    """Zstandard decompression, by Arrow, which is a dependency already."""
    import pyarrow as pa

    with pa.CompressedInputStream(pa.BufferReader(body), "zstd") as stream:
        return bytes(stream.read())


def file_sha256(file: Path) -> str:
    """sha256 of a file, of which a megabyte at a time is in memory."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def members_sha256(members: Members, names: Sequence[str]) -> str:
    """sha256 over the sorted names and contents of some members; the same for every platform's build of a package."""
    digest = hashlib.sha256()
    for name in sorted(names):
        content = members.read(name)
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
