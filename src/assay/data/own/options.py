"""Options of a user's own table: a csv or parquet file, a saved Hugging Face folder or a hub id."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from assay.config.limits import Limit
from assay.config.typed import shown
from assay.data.options import DatasetOptions
from assay.data.own.csv import is_encoding
from assay.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.arrays import Integers
    from assay.data.content import Content
    from assay.data.dataset import Dataset
    from assay.data.neighbours import Change
    from assay.data.own.schema import Schema
    from assay.data.own.storage import RawTable, Wanted


@dataclass(frozen=True)
class OwnTable(DatasetOptions):
    """Base of a user's own table; column types and the kind of target are inferred where neither options nor schema say."""

    marked: ClassVar[bool] = False

    path: str | None = None
    target: str | None = None
    missing: Literal["error", "drop"] = "error"
    schema: str | None = None

    @property
    def owned(self) -> bool:
        """False: the columns of a table are features and a target."""
        return bool(self.sources.count)

    @cached_property
    def described(self) -> Schema | None:
        """The schema, read once; InputError when it is none."""
        from assay.data.own.schema import read_schema

        return None if self.schema is None else read_schema(self.schema)

    @property
    def checksum(self) -> str | None:
        """The sha256 of the user's data, with its schema where there is one."""
        data = super().checksum
        if data is None or self.schema is None:
            return data
        schema = Path(self.schema).expanduser().read_bytes()
        return hashlib.sha256(data.encode() + schema).hexdigest()

    def __getstate__(self) -> dict[str, Any]:
        """The options without the bytes of a file."""
        return {name: value for name, value in self.__dict__.items() if name not in ("content", "described")}

    def raw(self) -> RawTable:
        """The cells of the table, out of the bytes that were read once."""
        raise NotImplementedError

    def load(self, data_dir: Path) -> Dataset:
        """The dataset, judged by all rows; InputError for what the user can mend."""
        from assay.data.own.storage import stored

        return stored(self.raw(), self._wanted(), self.described)

    def load_blind(
        self, data_dir: Path, valid: Callable[[int, Integers | None], Integers], change: Change | None = None
    ) -> Dataset:
        """The dataset, judged by the schema or the public rows alone; InputError never depends on a private cell."""
        from assay.data.own.blind import stored_blind

        raw = self.raw() if change is None else change.of_cells(self.raw(), str(self.target))
        dataset = stored_blind(raw, self._wanted(), self.described, valid)
        named = {name for group in self.classes or () for name in ([group] if isinstance(group, str) else group)}
        if self.classes is not None and set(dataset.classes) - named:
            limit = "leaves rows out by their label, and the run is private"
            raise InputError(
                "dataset.classes", shown(self.classes), limit, "name every class, or merge some: [[a,b],[c]]"
            )
        return dataset

    def check_options(self) -> None:
        """Raises InputError when the options contradict each other, or path or target are not given."""
        super().check_options()
        for key, need in (("path", "your file or folder"), ("target", "the column to predict")):
            if getattr(self, key) is None:
                raise InputError(
                    f"dataset.{key}", "null", f"dataset={self.name} needs {need}", f"add dataset.{key}=..."
                )
        if self.described is not None and self.types:
            first = next(iter(self.types))
            raise InputError(f"dataset.types.{first}", self.types[first], "the schema says it", "edit dataset.schema")

    def check_private(self) -> None:
        """Raises InputError for an option by which something public would depend on private cells."""
        super().check_private()
        if self.missing == "drop":
            limit = "shows which rows have a missing cell, and the run is private"
            remedy = "leave it out: a missing private cell becomes a public value"
            raise InputError("dataset.missing", "drop", limit, remedy)
        if self.described is not None and not self.described.public:
            limit = "does not say `public: true`, and the run is private"
            raise InputError(
                "dataset.schema", self.schema, limit, "edit it until it shows no private cell, then say so"
            )

    def _wanted(self) -> Wanted:
        from assay.data.own.storage import Wanted

        return Wanted(self.target, self.features, self.types, self.kind, self.modality, self.missing)

    def _check_names(self, names: list[str]) -> None:
        """Raises InputError when a column that the options name is not there."""
        from assay.data.own.columns import check_names

        check_names(names, self.target, self.features, self.types)
        if self.described is not None and self.target is not None and self.schema is not None:
            self.described.check_table(names, self.target, self.schema)

    def _file(self) -> Content:
        """The bytes of the file; InputError when there is none, or a folder in its place."""
        from assay.data.content import existing, read_content

        if self.path is None:
            limit = f"dataset={self.name} needs your data"
            raise InputError("dataset.path", "null", limit, "give dataset.path=... and dataset.target=...")
        file = existing(self.path)
        if file.is_dir():
            raise InputError("dataset.path", file, "is a folder", "dataset=huggingface reads a saved folder")
        return read_content(file)


@dataclass(frozen=True)
class CsvTable(OwnTable):
    """A csv file: comma, semicolon, tab or bar between its cells, and the names of the columns in its first line."""

    name: str = "csv"
    encoding: Annotated[str, Limit(is_encoding, "is no text encoding", "e.g. utf-8, cp1252, latin-1 or utf-16")] = (
        "utf-8"
    )

    @cached_property
    def content(self) -> Content:
        """The file, read once and its header checked; InputError when it cannot serve."""
        from assay.data.own.csv import read_header

        content = self._file()
        self._check_names(read_header(content.path, content.file, self.encoding).names)
        return content

    def raw(self) -> RawTable:
        """Every cell as the text that stands in the file."""
        from assay.data.own.csv import read_cells
        from assay.data.own.storage import RawTable

        content = self.content
        table = read_cells(content.path, content.file, self.encoding)
        return RawTable(table, written=True, provenance=content.provenance)


@dataclass(frozen=True)
class ParquetTable(OwnTable):
    """A parquet file."""

    name: str = "parquet"

    @cached_property
    def content(self) -> Content:
        """The file, read once and its header checked; InputError when it cannot serve."""
        from assay.data.own.parquet import read_names

        content = self._file()
        self._check_names(read_names(content.path, content.file))
        return content

    def raw(self) -> RawTable:
        """The cells with the types that the file gives them."""
        from assay.data.own.parquet import read_table
        from assay.data.own.storage import RawTable

        content = self.content
        return RawTable(read_table(content.path, content.file), written=False, provenance=content.provenance)


@dataclass(frozen=True)
class HuggingFaceTable(OwnTable):
    """A folder written by `save_to_disk`, or a hub id "owner/name" or "owner/name:configuration".

    Parts called train and test are the official ones; other parts are left out. The ids of test rows go on from those of
    train. The names of class codes are the classes.
    """

    name: str = "huggingface"

    @cached_property
    def content(self) -> Content | None:
        """The checksum of a saved folder; None for a hub id."""
        from assay.data.content import Content, folder_sha256
        from assay.data.own.hub import check_folder

        folder = Path(self.path or "").expanduser()
        if self.path is None or not folder.is_dir():
            return None
        check_folder(folder)
        return Content(folder, {}, folder_sha256(folder))

    def raw(self) -> RawTable:
        """The cells of the official parts, one after the other."""
        import numpy as np

        from assay.data.own import hub
        from assay.data.own.storage import RawTable
        from assay.data.provenance import Provenance

        if self.path is None:
            self._file()
        assert self.path is not None
        content = self.content
        parts = hub.read_hub(self.path) if content is None else hub.read_folder(content.path)
        if content is None:
            provenance = Provenance("canonical", f"huggingface:{self.path}", hub.fingerprint(parts))
        else:
            provenance = content.provenance
        official = hub.official_parts(parts)
        self._check_names(official[0].column_names)
        sizes = [len(part) for part in official]
        partition = np.repeat([0, 1], sizes) if len(official) == 2 else None
        classes = hub.class_names(official[0], str(self.target))
        return RawTable(hub.arrow_table(official), False, provenance, partition, classes)
