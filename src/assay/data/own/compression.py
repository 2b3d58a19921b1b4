"""Compressed files: recognised by their first bytes, unpacked in memory."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from pathlib import Path

from assay.errors import InputError

COMPRESSIONS = ("gzip", "bz2", "xz", "zip", "zstd", "none")
_MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"PK\x03\x04": "zip", b"(\xb5/\xfd": "zstd"}


def compression_of(content: bytes) -> str:
    """The compression of a file as its first bytes show it."""
    return next((name for magic, name in _MAGIC.items() if content.startswith(magic)), "none")


def unpacked(file: Path, content: bytes, compression: str | None) -> bytes:
    """The content of a compressed file, of any other as it is; InputError when it is damaged, or holds several files."""
    kind = compression or compression_of(content)
    try:
        if kind == "gzip":
            return gzip.decompress(content)
        if kind == "bz2":
            return bz2.decompress(content)
        if kind == "xz":
            return lzma.decompress(content)
        if kind == "zip":
            return _of_zip(file, content)
        if kind == "zstd":
            import pyarrow as pa

            return bytes(pa.CompressedInputStream(pa.BufferReader(content), "zstd").read())
    except InputError:
        raise
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError) as error:
        remedy = "unpack it yourself, or name its form with dataset.compression"
        raise InputError("dataset.path", file, f"is no whole {kind} file", remedy) from error
    return content


def _of_zip(file: Path, content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
        if any(name.startswith(("xl/", "word/")) for name in names):
            raise InputError("dataset.path", file, "is an Excel file", "dataset=excel reads it")
        if len(names) != 1:
            raise InputError(
                "dataset.path", file, f"holds {len(names)} files", "unpack it and name the one that is meant"
            )
        return archive.read(names[0])
