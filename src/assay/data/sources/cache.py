"""The parsed form of a dataset on disk, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.data.dataset import Column, Dataset
from assay.data.provenance import Provenance
from assay.data.sources.archives import file_sha256

if TYPE_CHECKING:
    import pyarrow as pa

FORM = 3  # of the files below; raise when they change
ROLES, TABLE = "roles.json", "table.arrow"
STALE_SECONDS = 3600  # a partial folder this old was left by a process that died


def cached(name: str, provenance: Provenance, data_dir: Path, parse: Callable[[], Dataset], code: str = "") -> Dataset:
    """The parsed dataset of a name, a source checksum and the loader's code: read from data_dir, or parsed and left there.

    The folder is written under another name and renamed, so that a kill or a second process never leaves half of one.
    A folder that cannot be read is made anew; where nothing can be written the dataset is used without a cache.
    """
    mark = hashlib.sha256(f"{FORM}{code}".encode()).hexdigest()[:8]
    folder = data_dir / "parsed" / f"{name}-{provenance.sha256[:16]}-{mark}"
    if folder.exists():
        try:
            return read(folder, provenance)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with a cache, the source is at hand
            print(f"{folder}: damaged ({error}); made anew", file=sys.stderr, flush=True)
            _remove(folder)
    dataset = parse()
    try:
        write(dataset, folder)
    except OSError as error:
        warnings.warn(f"the parsed form of {name} is not stored: {error}", stacklevel=2)
        return dataset
    return read(folder, provenance)


def write(dataset: Dataset, folder: Path) -> None:
    """Store a dataset as a folder in one step; when another process was first, its folder stays."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(f".{folder.name}.*"):
        if time.time() - left.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        write_table(dataset.table, partial / TABLE)
        roles = {
            "sha256": file_sha256(partial / TABLE),
            "columns": [asdict(column) for column in dataset.columns],
            "kind": dataset.kind,
            "classes": dataset.classes,
            "source_names": dataset.source_names,
        }
        roles["checksum"] = _checksum_of(roles)
        (partial / ROLES).write_text(json.dumps(roles), encoding="utf-8")
        partial.chmod(0o755)
        os.rename(partial, folder)  # noqa: PTH104 - os.rename fails on a folder that is there, which is what is wanted
    except OSError:
        if not (folder / ROLES).exists():
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_table(table: pa.Table, file: Path) -> None:
    """Write a table in Arrow's own format, which is mapped into memory as it is."""
    import pyarrow as pa

    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def read(folder: Path, provenance: Provenance) -> Dataset:
    """A stored dataset whose table has the checksum that was noted; it stays on disk, mapped into memory."""
    import pyarrow as pa

    roles = json.loads((folder / ROLES).read_text(encoding="utf-8"))
    if roles.pop("checksum") != _checksum_of(roles) or file_sha256(folder / TABLE) != roles["sha256"]:
        raise ValueError("its bytes have changed")
    columns = tuple(
        Column(
            column["name"],
            column["type"],
            None if column["categories"] is None else tuple(column["categories"]),
            tuple(column["shape"]),
            None if column["range"] is None else tuple(column["range"]),
        )
        for column in roles["columns"]
    )
    table = pa.ipc.open_file(pa.memory_map(str(folder / TABLE))).read_all()
    return Dataset(table, columns, roles["kind"], tuple(roles["classes"]), provenance, tuple(roles["source_names"]))


def _checksum_of(roles: dict[str, Any]) -> str:
    """sha256 of the roles as JSON gives them back."""
    return hashlib.sha256(json.dumps(json.loads(json.dumps(roles)), sort_keys=True).encode()).hexdigest()


def _remove(place: Path) -> None:
    """Removes a folder, or a file in the place of one."""
    if place.is_dir():
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.unlink(missing_ok=True)
