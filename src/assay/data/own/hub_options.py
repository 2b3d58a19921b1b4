"""Options of a table in Hugging Face form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.config.typed import shown
from assay.data.own.options import OwnTable
from assay.errors import InputError

if TYPE_CHECKING:
    from assay.data.content import Content
    from assay.data.own.storage import RawTable


@dataclass(frozen=True)
class HuggingFaceTable(OwnTable):
    """A folder written by `save_to_disk`, or a hub id "owner/name" or "owner/name:configuration".

    Parts called train and test are the official ones; other parts are left out. The ids of test rows go on from those of
    train. The names of class codes are the classes, and code -1 is a missing label.
    """

    name: str = "huggingface"

    @cached_property
    def content(self) -> Content | None:
        """The checksum of a saved folder; None for a hub id."""
        from assay.data.content import Content, folder_sha256
        from assay.data.own.hub import check_folder

        folder = self._folder()
        if folder is None:
            return None
        check_folder(folder)
        return Content(folder, {}, folder_sha256(folder))

    def raw(self) -> RawTable:
        """The cells of the official parts, one after the other."""
        import numpy as np
        import pyarrow as pa

        from assay.data.own import hub
        from assay.data.provenance import Provenance

        content, notes = self.content, list[str]()
        empty: list[str] = []
        path = self._path()
        if content is None:
            parts = hub.read_hub(path)
            provenance = Provenance("canonical", f"huggingface:{path}", hub.fingerprint(parts))
        else:
            parts, empty = hub.read_folder(content.path)
            provenance = content.provenance
        if isinstance(parts, dict):
            empty += [name for name, part in parts.items() if not len(part)]
            parts = {name: part for name, part in parts.items() if len(part)}
        if not len(parts) or "train" in empty:
            raise hub.no_rows(path, empty)
        if empty:
            notes.append(f"parts without rows: {', '.join(empty)}")
        official, left_out = hub.official_parts(parts, self.target)
        self._check_names(official[0].column_names)
        sizes = [len(part) for part in official]
        partition = np.repeat([0, 1], sizes) if len(official) == 2 else None
        classes = hub.class_names(official[0], str(self.target))
        facts: dict[str, Any] = {"partition": partition, "classes": classes, "notes": (*notes, *left_out)}
        facts["images"] = hub.image_columns(official[0])
        try:
            table = hub.arrow_table(official)
        except (pa.ArrowException, OSError) as error:
            raise hub.damaged(path) from error
        return self._raw(table, False, provenance, None, **facts)

    def _path(self) -> str:
        """The one folder or id; InputError for several, and for none."""
        if self.path is None:
            limit = f"dataset={self.name} needs your data"
            raise InputError("dataset.path", "null", limit, "give dataset.path=... and dataset.target=...")
        if len(self.paths) > 1:
            raise InputError("dataset.path", shown(self.path), "is more than one folder or id", "name one")
        return self.paths[0]

    def _folder(self) -> Path | None:
        """The saved folder; None for an id of the hub, or no path at all."""
        from assay.data.content import existing

        if self.path is None:
            return None
        try:
            folder = existing(self._path())
        except InputError:
            return None
        return folder if folder.is_dir() else None
