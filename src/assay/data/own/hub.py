"""Datasets in Hugging Face form: a folder written by `save_to_disk`, or an id of the hub."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.data.dataset import Dataset
from assay.data.own.columns import check_names, local_checksum
from assay.data.own.local import table_dataset
from assay.data.records import Provenance
from assay.data.sources.cache import hugging_face
from assay.data.sources.registries import offline
from assay.errors import AssayError, InputError


def load_hub(
    path: str,
    *,
    kind: str,
    modality: str,
    target: str | None,
    features: Sequence[str] | None,
    types: Mapping[str, str],
    missing: str = "error",
) -> Dataset:
    """A saved folder, or the hub dataset "owner/name" or "owner/name:configuration".

    Splits called train and test are the official parts; other splits are left out. The ids of
    test rows go on from those of train. A ClassLabel target keeps its names.
    Raises InputError when neither a folder nor a dataset of the hub is there.
    """
    import numpy as np
    import pandas as pd

    folder = Path(path).expanduser()
    if folder.is_dir():
        parts = _read_folder(folder)
        provenance = Provenance("local path", folder.name, local_checksum(folder))
    else:
        parts = _read_hub(path)
        provenance = Provenance("canonical", f"huggingface:{path}", _fingerprints(parts))
    if hasattr(parts, "column_names") and not isinstance(parts, dict):
        parts = {"train": parts}
    chosen = [name for name in ("train", "test") if name in parts] or list(parts)[:1]
    tables = [parts[name] for name in chosen]
    check_names(tables[0].column_names, target, features, types)
    frames = [table.to_pandas() for table in tables]
    partition = np.repeat([0, 1], [len(frame) for frame in frames]) if len(frames) == 2 else None
    label = tables[0].features[target]
    return table_dataset(
        pd.concat(frames, ignore_index=True),
        provenance,
        kind=kind,
        modality=modality,
        target=target,
        features=features,
        types=types,
        partition=partition,
        classes=getattr(label, "names", None),
        missing=missing,
    )


def _read_folder(folder: Path) -> Any:
    try:
        return hugging_face().load_from_disk(str(folder))
    except (FileNotFoundError, ValueError, OSError) as error:
        remedy = "write it with Dataset.save_to_disk, or use dataset=csv or dataset=parquet for a file"
        raise InputError("dataset.path", folder, "is not a saved dataset", remedy) from error


def _read_hub(path: str) -> Any:
    if path.startswith((".", "/", "~")):
        raise InputError("dataset.path", path, "no such folder", "give a saved folder or an id of the hub")
    if offline():
        raise InputError("dataset.path", path, "no such folder, and ASSAY_OFFLINE forbids the hub", "unset it")
    name, _, configuration = path.partition(":")
    try:
        return hugging_face().load_dataset(name, configuration or None)
    except Exception as error:  # the hub's client has no common base for what can go wrong
        reason = " ".join(str(error).split())[:200]
        raise AssayError(f"dataset.path={path}: no such folder, and not to be had from the hub ({reason})") from error


def _fingerprints(parts: Any) -> str:
    import hashlib

    tables = parts.values() if isinstance(parts, dict) else [parts]
    return hashlib.sha256("".join(table._fingerprint for table in tables).encode()).hexdigest()
