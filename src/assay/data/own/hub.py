"""Datasets in Hugging Face form: a folder written by `save_to_disk`, or an id of the hub."""

from __future__ import annotations

import hashlib
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


def read_folder(folder: Path) -> Any:
    """The dataset, or dataset by name of its part, of a saved folder."""
    try:
        return hugging_face().load_from_disk(str(folder))
    except (FileNotFoundError, ValueError, OSError) as error:
        raise _not_saved(folder) from error


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


def official_parts(parts: Any) -> list[Any]:
    """The parts called train and test; the first part, or the whole dataset, where there are none."""
    if not isinstance(parts, dict):
        return [parts]
    return [parts[name] for name in ("train", "test") if name in parts] or list(parts.values())[:1]


def arrow_table(parts: list[Any]) -> pa.Table:
    """The rows of the parts, one after the other, as one Arrow table."""
    import pyarrow as pa

    tables = [part.with_format("arrow")[:] for part in parts]
    return pa.concat_tables([table.replace_schema_metadata(None) for table in tables], promote_options="permissive")


def class_names(part: Any, column: str) -> tuple[str, ...] | None:
    """The names of a column of class codes; None for another column."""
    features: Mapping[str, Any] = part.features
    names = getattr(features.get(column), "names", None)
    return None if names is None else tuple(names)
