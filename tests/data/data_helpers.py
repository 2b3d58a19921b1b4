"""Small archives of the same form as the real ones, and the settings of a plain `prepare`."""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Files = Mapping[str, bytes]


def streams(seed: int) -> Callable[[str], np.random.Generator]:
    """Independent generators by purpose, as a run has them."""
    return lambda purpose: np.random.default_rng([seed, zlib.crc32(purpose.encode())])


def settings(data_dir: Path, name: str = "csv", seed: int = 0, **changes: Any) -> dict[str, Any]:
    """Arguments of `prepare`; a change to a mapping is merged into it."""
    base: dict[str, Any] = {
        "name": name,
        "kind": "auto",
        "modality": "auto",
        "path": None,
        "target": None,
        "features": None,
        "types": {},
        "rows": None,
        "download": False,
        "split": {"train": 0.6, "valid": 0.2, "test": 0.2},
        "corruption": {"labels": 0.0, "features": 0.0, "scale": 1.0},
        "sources": {"count": 0, "how": "random", "alpha": 0.5},
        "preprocess": {"standardize": True, "components": None, "norm": None, "buckets": 16},
        "data_dir": data_dir,
        "generator": streams(seed),
    }
    for key, value in changes.items():
        base[key] = base[key] | value if isinstance(value, dict) and key != "types" else value
    return base


def write_wheel(path: Path, files: Files) -> Path:
    """A zip archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tar_bytes(files: Files, mode: str = "w:gz", prefix: str = "") -> bytes:
    """A tarball in memory."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(prefix + name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def ar_bytes(files: Files) -> bytes:
    """An `ar` archive, written from its definition: magic, 60-byte heads, bodies padded to even length."""
    out = b"!<arch>\n"
    for name, content in files.items():
        head = f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        assert len(head) == 60
        out += head + content + b"\n" * (len(content) % 2)
    return out


def write_deb(path: Path, files: Files, compression: str = "xz") -> Path:
    """A Debian package: debian-binary, control.tar and data.tar inside an `ar` archive."""
    if compression == "zst":
        import pyarrow as pa

        data = pa.compress(tar_bytes(files, "w", "./"), codec="zstd", asbytes=True)
    else:
        data = tar_bytes(files, f"w:{compression}", "./")
    parts = {"debian-binary": b"2.0\n", "control.tar.xz": tar_bytes({"control": b"Package: x"}, "w:xz")}
    path.write_bytes(ar_bytes({**parts, f"data.tar.{compression}": data}))
    return path
