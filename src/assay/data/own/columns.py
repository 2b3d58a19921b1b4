"""What a user's file says about itself before any of it is loaded: header, encoding, checksum."""

from __future__ import annotations

import codecs
import csv
import difflib
import hashlib
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from assay.errors import InputError

COLUMN_TYPES = ("numeric", "categorical", "text", "ignore")
NEAR_NAME = 0.75  # how alike two file names are before one is suggested for the other
SCANNED_BYTES = 64 * 2**20  # the check before a run reads no more than this of a file


def existing(path: str | Path) -> Path:
    """The path, or an InputError when nothing is there."""
    found = Path(path).expanduser()
    if not found.exists():
        near = difflib.get_close_matches(found.name, _siblings(found), n=1, cutoff=NEAR_NAME)
        remedy = f"did you mean {near[0]!r}?" if near else "give the path from the current folder, or an absolute one"
        raise InputError("dataset.path", path, "no such file", remedy)
    return found


def _siblings(path: Path) -> list[str]:
    try:
        return [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return []


def local_checksum(path: str | Path) -> str:
    """sha256 of a file, or of the names and contents of all files of a folder; InputError when nothing is there."""
    root = existing(path)
    digest = hashlib.sha256()
    if root.is_file():
        update_from_file(digest, root)
        return digest.hexdigest()
    for file in sorted(entry for entry in root.rglob("*") if entry.is_file()):
        digest.update(file.relative_to(root).as_posix().encode() + b"\0")
        update_from_file(digest, file)
    return digest.hexdigest()


def update_from_file(digest: hashlib._Hash, path: Path) -> None:
    """Feed a file to a digest, a megabyte at a time."""
    with path.open("rb") as stream:
        while block := stream.read(2**20):
            digest.update(block)


def check_columns(
    path: str | Path,
    target: str | None,
    features: Sequence[str] | None = None,
    types: Mapping[str, str] | None = None,
    encoding: str = "utf-8",
) -> None:
    """Raise InputError when a csv or parquet file cannot serve: missing, empty, not in its encoding, or without a column.

    Reads the header (and, of a csv, the first 64 MB for their encoding); loads neither pandas nor torch.
    """
    file = existing(path)
    names = header(file, encoding)
    check_names(names, target, features, types or {})


def header(file: Path, encoding: str = "utf-8") -> list[str]:
    """Column names of a csv or parquet file."""
    if file.is_dir():
        raise InputError("dataset.path", file, "is a folder", "dataset=huggingface reads a saved folder")
    if file.stat().st_size == 0:
        raise InputError("dataset.path", file, "the file is empty", "it needs a header line and rows")
    return _parquet_header(file) if file.suffix in (".parquet", ".pq") else csv_header(file, encoding)[0]


def _parquet_header(file: Path) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        parquet = pq.ParquetFile(file)
    except pa.ArrowInvalid as error:
        raise InputError("dataset.path", file, "is not a parquet file", "dataset=csv reads text tables") from error
    if parquet.metadata.num_rows == 0:
        raise InputError("dataset.path", file, "the file has no rows", "it needs rows")
    return [str(name) for name in parquet.schema_arrow.names]


def csv_header(file: Path, encoding: str = "utf-8") -> tuple[list[str], str]:
    """Column names of a csv file and its delimiter (comma, semicolon, tab or bar, whichever the header has most of)."""
    _check_encoding(file, encoding)
    with file.open(encoding=read_as(encoding), newline="") as stream:
        line = stream.readline()
        if not line.strip():
            raise InputError("dataset.path", file, "the first line is empty", "it must name the columns")
        delimiter = max(",;\t|", key=line.count)
        stream.seek(0)
        reader = csv.reader(stream, delimiter=delimiter)
        names = [name.strip() for name in next(reader)]
        if next((row for row in reader if row), None) is None:
            raise InputError("dataset.path", file, "the file has a header and no rows", "it needs rows")
    return names, delimiter


def read_as(encoding: str) -> str:
    """The codec for an encoding that a user names: UTF-8 may begin with a byte order mark."""
    return "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding


def not_decoded(file: Path, encoding: str, where: str = "") -> InputError:
    """The error for text that is not in its encoding; names the key that says another."""
    with file.open("rb") as stream:
        marked = stream.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    likely = "utf-16" if marked else "cp1252"
    remedy = f"name its encoding, e.g. dataset.encoding={likely}, or save it as UTF-8"
    return InputError("dataset.path", file, f"is not {encoding.upper()} text{where}", remedy)


def _check_encoding(file: Path, encoding: str) -> None:
    decoder = codecs.getincrementaldecoder(encoding)()
    position = 0
    with file.open("rb") as stream:
        while position < SCANNED_BYTES and (block := stream.read(2**20)):
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                raise not_decoded(file, encoding, f" at byte {position - pending + error.start}") from error
            except UnicodeError as error:  # as UTF-16 without its byte order mark
                raise not_decoded(file, encoding) from error
            position += len(block)
    if position < SCANNED_BYTES and decoder.getstate()[0]:
        limit = f"ends in the middle of a {encoding.upper()} character"
        raise InputError("dataset.path", file, limit, "name its encoding with dataset.encoding, or save it as UTF-8")


def check_names(
    names: Sequence[str], target: str | None, features: Sequence[str] | None, types: Mapping[str, str]
) -> None:
    """Raise InputError when a name occurs twice, the target is not given, or a named column is not among `names`."""
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError("dataset.path", repeated[0], "is the name of two columns", "rename one of them")
    if target is None:
        raise InputError("dataset.target", "null", "the column to predict is not named", f"one of {listing(names)}")
    _known("dataset.target", [target], names)
    for column, kind in types.items():
        if kind not in COLUMN_TYPES:
            near = difflib.get_close_matches(str(kind), COLUMN_TYPES, n=1)
            remedy = f"did you mean {near[0]}?" if near else f"one of {listing(COLUMN_TYPES)}"
            raise InputError(f"dataset.types.{column}", kind, "no such type", remedy)
    _known("dataset.types", types, names)
    if features is not None:
        if not features:
            raise InputError("dataset.features", "[]", "no column is kept", "null keeps all")
        _known("dataset.features", features, names)
        if target in features:
            raise InputError("dataset.features", target, "is the target", "a model would read the answer; leave it out")


def _known(key: str, wanted: Iterable[str], names: Sequence[str]) -> None:
    for name in wanted:
        if name not in names:
            folded = {known.casefold(): known for known in names}
            near = difflib.get_close_matches(str(name).casefold(), folded, n=1)
            remedy = f"did you mean {folded[near[0]]!r}?" if near else f"the file has {listing(names)}"
            raise InputError(key, name, "no such column", remedy)


def type_override(column: str, kind: str) -> str:
    """The override that sets a column's type, as one writes it in a shell."""
    return shlex.quote(f"dataset.types.{column}={kind}")


def listing(names: Sequence[str]) -> str:
    """Names in one line, the first eight of them."""
    more = "" if len(names) <= 8 else f" and {len(names) - 8} more"
    return ", ".join(str(name) for name in names[:8]) + more
