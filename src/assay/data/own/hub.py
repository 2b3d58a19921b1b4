"""Datasets in Hugging Face form: a folder written by `save_to_disk`, or an id of the hub."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from assay.data.sources.registries import CONNECT_SECONDS, offline
from assay.errors import AssayError, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

_SAVED = ("state.json", "dataset_dict.json")  # one of them stands in a folder that save_to_disk wrote


def hugging_face() -> Any:
    """The `datasets` library, without its progress bars."""
    import datasets

    datasets.disable_progress_bars()
    return datasets


def check_folder(folder: Path) -> None:
    """Raise InputError for a folder that `save_to_disk` did not write; reads none of its files."""
    if not any((folder / name).is_file() for name in _SAVED):
        raise _not_saved(folder)


def read_folder(folder: Path) -> tuple[Any, list[str]]:
    """The dataset, or datasets by name of their part, of a saved folder; and the names of parts without rows."""
    try:
        names = _part_names(folder)
        if names is None:
            return _loaded(folder), []
        empty = [name for name in names if _is_empty(folder / name)]
        return {name: _loaded(folder / name) for name in names if name not in empty}, empty
    except (FileNotFoundError, ValueError, OSError, KeyError, TypeError, IndexError) as error:
        raise _not_saved(folder) from error


def _loaded(folder: Path) -> Any:
    return hugging_face().load_from_disk(str(folder))


def _part_names(folder: Path) -> list[str] | None:
    """Names of the parts of a folder; None for a folder of one dataset."""
    listed = folder / "dataset_dict.json"
    return list(json.loads(listed.read_text())["splits"]) if listed.is_file() else None


def _is_empty(folder: Path) -> bool:
    """True for a part that was saved without a file of rows."""
    return not json.loads((folder / "state.json").read_text())["_data_files"]


def no_rows(path: str, empty: list[str]) -> InputError:
    """The error for a folder of which every part is empty."""
    said = f"no part has rows ({', '.join(empty)})" if empty else "it has no rows"
    return InputError("dataset.path", path, said, "save it again with rows in train")


def damaged(path: str) -> InputError:
    """The error for rows that cannot be read."""
    return InputError(
        "dataset.path", path, "has rows that cannot be read", "save it again, all parts with the same columns"
    )


def _not_saved(folder: Path) -> InputError:
    remedy = "write it with Dataset.save_to_disk, or use dataset=csv or dataset=parquet for a file"
    return InputError("dataset.path", folder, "is not a saved dataset", remedy)


def read_hub(path: str) -> Any:
    """The dataset "owner/name" or "owner/name:configuration" of the hub."""
    if path.startswith((".", "/", "~")):
        raise InputError("dataset.path", path, "no such folder", "give a saved folder or an id of the hub")
    if offline():
        raise InputError("dataset.path", path, "no such folder, and ASSAY_OFFLINE forbids the hub", "unset it")
    name, _, configuration = path.partition(":")
    _go_offline_without_network()
    try:
        return hugging_face().load_dataset(name, configuration or None)
    except Exception as error:  # the hub's client has no common base for what can go wrong
        reason = " ".join(str(error).split())[:200]
        raise AssayError(f"dataset.path={path}: no such folder, and not to be had from the hub ({reason})") from error


def _go_offline_without_network() -> None:
    """Lets the hub's client look into its cache alone where its server does not answer: it would try for half a minute."""
    if "datasets" in sys.modules or any(os.environ.get(name) for name in ("https_proxy", "HTTPS_PROXY")):
        return
    address = urlsplit(os.environ.get("HF_ENDPOINT", "https://huggingface.co"))
    try:
        socket.create_connection((address.hostname or "", address.port or 443), timeout=CONNECT_SECONDS).close()
    except OSError:
        os.environ["HF_HUB_OFFLINE"] = "1"


def fingerprint(parts: Any) -> str:
    """sha256 of the fingerprints that the library gives the parts of a dataset of the hub."""
    tables = parts.values() if isinstance(parts, dict) else [parts]
    return hashlib.sha256("".join(table._fingerprint for table in tables).encode()).hexdigest()


def official_parts(parts: Any, target: str | None) -> tuple[list[Any], list[str]]:
    """The parts called train and test, or else the first one with rows; and what is said of parts left out.

    A test part without the target column is no part to score on.
    """
    if not isinstance(parts, dict):
        return [parts], []
    chosen = [name for name in ("train", "test") if name in parts] or list(parts)[:1]
    notes = []
    if len(chosen) == 2 and target in parts["train"].column_names and target not in parts["test"].column_names:
        notes.append(f"the official test part has no column {target!r} and is left out: test is drawn from train")
        chosen = chosen[:1]
    if others := [name for name in parts if name not in chosen and not notes]:
        notes.append(f"parts left out: {', '.join(others)}")
    return [parts[name] for name in chosen], notes


def arrow_table(parts: list[Any]) -> pa.Table:
    """The rows of the parts, one after the other, as one Arrow table; class codes are the names of their classes.

    Raises ArrowException for parts that are damaged, or do not fit each other.
    """
    import pyarrow as pa

    tables = [_named(part.with_format("arrow")[:], part.features) for part in parts]
    table = pa.concat_tables([each.replace_schema_metadata(None) for each in tables], promote_options="permissive")
    table.validate(full=True)  # its readers look no further than the form: false offsets end the process
    return table


def _named(table: pa.Table, features: Mapping[str, Any]) -> pa.Table:
    """The table with names in place of class codes; -1, and every code without a name, is a missing cell."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for place, column in enumerate(table.column_names):
        names = _names_of(features.get(column))
        if _is_image(features.get(column)):
            table = table.set_column(place, column, _image_bytes(table.column(column)))
        if names is None:
            continue
        codes = table.column(column).combine_chunks().cast(pa.int64())
        known = pc.and_(pc.greater_equal(codes, 0), pc.less(codes, len(names)))
        texts = pa.array(names, pa.string()).take(pc.if_else(known, codes, pa.scalar(None, pa.int64())))
        table = table.set_column(place, column, texts)
    return table


def image_columns(part: Any) -> frozenset[str]:
    """The columns whose cells are images."""
    return frozenset(name for name, feature in part.features.items() if _is_image(feature))


def _is_image(feature: Any) -> bool:
    return feature is not None and isinstance(feature, hugging_face().Image)


def _image_bytes(column: pa.ChunkedArray) -> pa.Array:
    """The bytes of each image, out of its file where they stand there; null for none."""
    import pyarrow as pa

    contents = []
    for cell in column.to_pylist():
        content, path = (None, None) if cell is None else (cell["bytes"], cell["path"])
        file = None if content is not None or path is None else Path(path)
        contents.append(file.read_bytes() if file is not None and file.is_file() else content)
    return pa.array(contents, pa.binary())


def _names_of(feature: Any) -> list[str] | None:
    names = getattr(feature, "names", None)
    return None if names is None else [str(name) for name in names]


def class_names(part: Any, column: str) -> tuple[str, ...] | None:
    """The names of a column of class codes; None for another column."""
    names = _names_of(part.features.get(column))
    return None if names is None else tuple(names)
