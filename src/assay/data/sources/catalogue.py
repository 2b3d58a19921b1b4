"""The datasets that have a name, read from their YAML files without loading any data."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from assay.config.listing import options
from assay.config.locations import conf_root
from assay.config.typed import built, typed
from assay.data.sources.source import Source
from assay.errors import InputError

GROUP = "dataset"


class Entry(NamedTuple):
    """A dataset of the catalogue: what its YAML file says of it and of its sources."""

    name: str
    kind: str
    modality: str
    source: Source


class Listing(NamedTuple):
    """One line of `assay data list`."""

    name: str
    kind: str
    shape: str
    source: str
    cached: bool


def catalogue(config_dir: Path | None = None) -> dict[str, Entry]:
    """Name -> entry of every dataset whose file has a `source`, in order of name; those of `config_dir` come last.

    Raises InputError for facts of a source that cannot be right.
    """
    folders = [conf_root(), *([] if config_dir is None else [Path(config_dir)])]
    return {entry.name: entry for folder in folders for entry in _entries(folder)}


def _entries(root: Path) -> Iterator[Entry]:
    for name, _ in options(GROUP, root):
        values = _read(root / GROUP / f"{name}.yaml")
        if isinstance(values.get("source"), Mapping):
            checked = typed(Source, values["source"], f"{GROUP}={name}: source.")
            source: Source = built(Source, checked)
            named = str(values.get("name", name))
            yield Entry(named, str(values.get("kind", "auto")), str(values.get("modality", "auto")), source)


def _read(file: Path) -> Mapping[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    values = yaml.load(file.read_text(encoding="utf-8"), loader)
    return values if isinstance(values, Mapping) else {}


def entry_of(name: str, entries: Mapping[str, Entry]) -> Entry:
    """The entry of a name; InputError with the nearest name when there is none."""
    if name not in entries:
        near = difflib.get_close_matches(name, entries, n=1)
        raise InputError(GROUP, name, "no such dataset", f"did you mean {near[0]}?" if near else "assay data list")
    return entries[name]


def list_datasets(data_dir: Path, config_dir: Path | None = None) -> list[Listing]:
    """Name, kind, shape, source, and whether a dataset can be read below data_dir without a network."""
    return [
        Listing(name, entry.kind, entry.source.shape, entry.source.label, entry.source.cached(name, Path(data_dir)))
        for name, entry in catalogue(config_dir).items()
    ]
